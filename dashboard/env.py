"""Read settings from environment variables; a wrong value stops the start with one sentence.

Every function takes the name of a variable and returns its parsed value, or a default when the
variable is unset or empty. A wrong value raises ``ImproperlyConfigured``; the message has the
variable's name, the expected form and, unless it may be secret, the value.
"""

import os
import re
import secrets
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
_NAME = r"[a-z0-9-]+(\.[a-z0-9-]+)*"
_IPV6 = r"\[[a-f0-9]*:[a-f0-9.:]+\]"
_HOST = re.compile(rf"\*|\.?{_NAME}|{_IPV6}", re.IGNORECASE)
_ORIGIN = re.compile(rf"https?://((\*\.)?{_NAME}|{_IPV6})(:[0-9]+)?", re.IGNORECASE)


def text(name: str, default: str = "") -> str:
    """The value without white space around it."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    """1, true, yes or on; 0, false, no or off; in capitals or not."""
    value = text(name).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if not value:
        return default
    raise ImproperlyConfigured(f"{name} is {value!r}; it must be 1 or 0.")


def number(name: str, default: float, *, minimum: float, maximum: float) -> float:
    """A number from ``minimum`` to ``maximum``, both included."""
    value = text(name)
    if not value:
        return default
    try:
        parsed = float(value)
    except ValueError:
        parsed = float("nan")
    if not minimum <= parsed <= maximum:  # NaN is refused too
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be a number from {minimum:g} to {maximum:g}."
        )
    return parsed


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """An integer from ``minimum`` to ``maximum``, both included."""
    parsed = number(name, default, minimum=minimum, maximum=maximum)
    if parsed != int(parsed):
        raise ImproperlyConfigured(f"{name} is {parsed!r}; it must be a whole number.")
    return int(parsed)


def days(name: str, *, minimum: float) -> float:
    """A number of days, at least ``minimum``; 0, the default, means for ever."""
    value = number(name, 0, minimum=0, maximum=36_500)
    if value and value < minimum:
        raise ImproperlyConfigured(
            f"{name} is {value:g}; it must be 0 (for ever) or {minimum:g} at least."
        )
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list, without empty entries."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or list(default)


def hosts(name: str, default: tuple[str, ...]) -> list[str]:
    """Host names in the forms of Django's ``ALLOWED_HOSTS``."""
    return _matching(_HOST, "host names such as dashboard.example.com", name, default)


def origins(name: str) -> list[str]:
    """Origins in the forms of Django's ``CSRF_TRUSTED_ORIGINS``: with a scheme, without a path."""
    return _matching(_ORIGIN, "origins such as https://dashboard.example.com", name)


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of IP addresses and networks such as ``10.0.0.0/8``."""
    found = []
    for word in words(name):
        try:
            found.append(ip_network(word))
        except ValueError as exc:
            raise ImproperlyConfigured(
                f"{name} holds {word!r}; "
                "it must be addresses or networks such as 192.0.2.7 or 10.0.0.0/8."
            ) from exc
    return found


def _matching(
    pattern: re.Pattern[str], expected: str, name: str, default: tuple[str, ...] = ()
) -> list[str]:
    found = words(name, default)
    for word in found:
        if not pattern.fullmatch(word):
            raise ImproperlyConfigured(f"{name} holds {word!r}; it must be {expected}.")
    return found


def directories(name: str) -> list[Path]:
    """A comma-separated list of absolute paths; an empty variable gives an empty list."""
    found = [Path(word).expanduser() for word in words(name)]
    for path in found:
        if not path.is_absolute():
            raise ImproperlyConfigured(f"{name} holds {str(path)!r}; it must be absolute paths.")
    return found


def choice(name: str, default: str, *, of: tuple[str, ...]) -> str:
    """One of the words ``of``, which are in capitals; the variable's case does not matter."""
    value = text(name, default).upper()
    if value not in of:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of {', '.join(of)}.")
    return value


def directory(name: str, default: Path) -> Path:
    """An absolute path to a directory, which is created if it does not exist."""
    path = Path(text(name, str(default))).expanduser().resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise ImproperlyConfigured(
            f"{name} is {str(path)!r}; it must be a directory that can be written ({exc.strerror})."
        ) from exc
    return path


SHORTEST_SECRET = 8
"""Characters. Secrets are redacted from texts; a shorter one would be redacted out of words."""
SHORTEST_SIGNING_KEY = 32
"""Characters. A short key can be guessed offline from one signed cookie."""


def api_key(name: str) -> str:
    """A key that fits into an HTTP header: printable ASCII."""
    value = text(name)
    if not (value.isascii() and value.isprintable()):
        # The message omits the value: more people read logs than may know the key.
        raise ImproperlyConfigured(f"{name} must be plain ASCII without control characters.")
    return value


def token(name: str) -> str:
    """A secret that clients send to the dashboard, or ``""`` when the variable is empty."""
    value = api_key(name)
    if value and len(value) < SHORTEST_SECRET:
        raise ImproperlyConfigured(f"{name} must be at least {SHORTEST_SECRET} characters long.")
    return value


def http_url(name: str) -> str:
    """An http(s) URL without a trailing slash, or ``""`` when the variable is empty."""
    value = text(name)
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        valid = (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and not (parts.query or parts.fragment)
        )
    except ValueError:  # the port is not a number
        valid = False
    if not valid:
        raise ImproperlyConfigured(
            # The part before an @ may be a password.
            f"{name} is {value.rpartition('@')[2]!r}; "
            "it must be an address such as https://runs.example.com."
        )
    return value.rstrip("/")


def https_url(name: str) -> str:
    """As ``http_url``, but plain HTTP is allowed for loopback addresses only."""
    value = http_url(name)
    parts = urlsplit(value)
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must begin with https://.")
    return value


def require(name: str, *others: str) -> None:
    """Refuse the first variable when one of the others is not set."""
    missing = [other for other in others if text(name) and not text(other)]
    if missing:
        raise ImproperlyConfigured(f"{name} is set; {' and '.join(missing)} must be set too.")


def redis_url(name: str) -> str:
    """The URL of a Redis or Valkey server, or ``""`` when the variable is empty."""
    value = text(name)
    if not value:
        return ""
    try:
        parts = urlsplit(value)
        if parts.scheme == "unix":
            valid = len(parts.path) > 1
        else:
            database_number = parts.path.strip("/")
            valid = (
                parts.scheme in {"redis", "rediss"}
                and bool(parts.hostname)
                and parts.port != 0
                and (not database_number or database_number.isdecimal())
            )
    except ValueError:  # the port is not a number
        valid = False
    if not valid:
        # The message omits the value, which may contain a password.
        raise ImproperlyConfigured(
            f"{name} cannot be read; it must look like redis://:password@host:6379/0, "
            "rediss://host or unix:///path/to/socket."
        )
    return value


DATABASE_CONNECT_SECONDS = 2
DATABASE_SILENCE_SECONDS = 5
"""How long a PostgreSQL connection may be silent before it is probed or given up."""


def database(name: str, sqlite_path: Path, *, lock_seconds: float) -> dict[str, object]:
    """An entry of Django's ``DATABASES`` from a URL; without a URL, SQLite at ``sqlite_path``.

    Args:
        lock_seconds: how long a query on PostgreSQL waits for a lock of another transaction.
    """
    url = text(name)
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": sqlite_path}
    try:
        database = dict(dj_database_url.parse(url))
    except (dj_database_url.ParseError, dj_database_url.UnknownSchemeError, ValueError) as exc:
        # The message omits the value, which may contain a password.
        raise ImproperlyConfigured(
            f"{name} cannot be read; it must look like postgres://user:password@host:5432/name."
        ) from exc
    if database["ENGINE"] == "django.db.backends.postgresql":
        # Without time-outs a lost server would block every page and /readyz for minutes.
        given = cast("dict[str, object]", database.get("OPTIONS") or {})
        database["OPTIONS"] = {
            "connect_timeout": DATABASE_CONNECT_SECONDS,
            # These notice a lost network. tcp_user_timeout is in milliseconds and works on Linux.
            "keepalives_idle": DATABASE_SILENCE_SECONDS,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "tcp_user_timeout": DATABASE_SILENCE_SECONDS * 1000,
            "options": f"-c lock_timeout={round(lock_seconds * 1000)}",
        } | given
    return database


def secret(name: str, path: Path, *, shortest: int) -> str:
    """A secret from the variable, else from the file ``path``, which is created if needed.

    The web server and the workers start at the same time and must use the same secret. Each
    writes a draft and links it to ``path``, which succeeds only for the first.

    Args:
        shortest: the fewest characters that a secret in the variable may have.
    """
    if value := text(name):
        if len(value) < shortest:
            # The message omits the value, which may be the key of another system.
            raise ImproperlyConfigured(
                f"{name} is too short; it must have at least {shortest} characters."
            )
        return value
    try:
        if not path.exists():
            _make_secret(path)
        return path.read_text().strip()
    except OSError as exc:
        raise ImproperlyConfigured(
            f"{name} cannot be kept in {path} ({exc.strerror}): choose another DATA_DIR, "
            f"or set {name}."
        ) from exc


def _make_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
