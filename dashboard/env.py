"""Read settings from environment variables; a wrong value stops the start with one sentence.

Every function takes the name of a variable and returns its parsed value, or a default when the
variable is unset or empty. A wrong value raises ``ImproperlyConfigured``; the message has the
variable's name, the expected form and, unless it may be secret, the value.
"""

import os
import re
import secrets
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
SHORTEST_SECRET = 8
"""Characters. Secrets are redacted from texts; a shorter one would be redacted out of words."""
SHORTEST_SIGNING_KEY = 32
"""Characters. A short key can be guessed offline from one signed cookie."""

_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(
    ("0", "false", "no", "off"), False
)
_NAME = r"[a-z0-9-]+(\.[a-z0-9-]+)*"
_IPV6 = r"\[[a-f0-9]*:[a-f0-9.:]+\]"
_HOST = re.compile(rf"\*|\.?{_NAME}|{_IPV6}", re.IGNORECASE)
_ORIGIN = re.compile(rf"https?://((\*\.)?{_NAME}|{_IPV6})(:[0-9]+)?", re.IGNORECASE)


def text(name: str, default: str = "") -> str:
    """The value without white space around it."""
    return os.environ.get(name, "").strip() or default


def parsed[T](
    name: str, default: T, parse: Callable[[str], T], expected: str, *, secret: bool = False
) -> T:
    """The value as ``parse`` returns it.

    Args:
        parse: raises ``ValueError`` or ``KeyError`` for a wrong value.
        expected: words that end the sentence "… must be ".
        secret: whether the message leaves out the value: more people read logs than may know it.
    """
    value = text(name)
    if not value:
        return default
    try:
        return parse(value)
    except (ValueError, KeyError) as exc:
        # The part before an @ may be a password.
        shown = "" if secret else f" is {value.rpartition('@')[2]!r}; it"
        raise ImproperlyConfigured(f"{name}{shown} must be {expected}.") from exc


def flag(name: str, *, default: bool = False) -> bool:
    """1, true, yes or on; 0, false, no or off; in capitals or not."""
    return parsed(name, default, lambda value: _FLAGS[value.lower()], "1 or 0")


def number(name: str, default: float, *, minimum: float, maximum: float) -> float:
    """A number from ``minimum`` to ``maximum``, both included."""

    def parse(value: str) -> float:
        found = float(value)
        if not minimum <= found <= maximum:  # NaN is refused too
            raise ValueError(value)
        return found

    return parsed(name, default, parse, f"a number from {minimum:g} to {maximum:g}")


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """An integer from ``minimum`` to ``maximum``, both included."""
    found = number(name, default, minimum=minimum, maximum=maximum)
    if found != int(found):
        raise ImproperlyConfigured(f"{name} is {found!r}; it must be a whole number.")
    return int(found)


def days(name: str, *, minimum: float) -> float:
    """A number of days, at least ``minimum``; 0, the default, means for ever."""
    found = number(name, 0, minimum=0, maximum=36_500)
    if 0 < found < minimum:
        raise ImproperlyConfigured(
            f"{name} is {found:g}; it must be 0 (for ever) or {minimum:g} at least."
        )
    return found


def choice(name: str, default: str, *, of: tuple[str, ...]) -> str:
    """One of the words ``of``, which are in capitals; the variable's case does not matter."""
    words_by_name = {word: word for word in of}
    return parsed(
        name, default, lambda value: words_by_name[value.upper()], f"one of {', '.join(of)}"
    )


def words(name: str) -> list[str]:
    """A comma-separated list, without empty entries."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def _words_parsed[T](name: str, parse: Callable[[str], T], expected: str) -> list[T]:
    """A comma-separated list, each word as ``parse`` returns it."""
    found = []
    for word in words(name):
        try:
            found.append(parse(word))
        except ValueError as exc:
            raise ImproperlyConfigured(f"{name} holds {word!r}; it must be {expected}.") from exc
    return found


def _checked(is_valid: Callable[[str], object]) -> Callable[[str], str]:
    """A function that returns its argument, or raises ``ValueError`` unless ``is_valid``."""

    def parse(value: str) -> str:
        if not is_valid(value):
            raise ValueError(value)
        return value

    return parse


def hosts(name: str, default: tuple[str, ...]) -> list[str]:
    """Host names in the forms of Django's ``ALLOWED_HOSTS``."""
    expected = "host names such as dashboard.example.com"
    return _words_parsed(name, _checked(_HOST.fullmatch), expected) or list(default)


def origins(name: str) -> list[str]:
    """Origins in the forms of Django's ``CSRF_TRUSTED_ORIGINS``: with a scheme, without a path."""
    expected = "origins such as https://dashboard.example.com"
    return _words_parsed(name, _checked(_ORIGIN.fullmatch), expected)


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """A comma-separated list of IP addresses and networks such as ``10.0.0.0/8``."""
    return _words_parsed(name, ip_network, "addresses or networks such as 192.0.2.7 or 10.0.0.0/8")


def directories(name: str) -> list[Path]:
    """A comma-separated list of absolute paths; an empty variable gives an empty list."""
    absolute = _checked(lambda word: Path(word).expanduser().is_absolute())
    return [Path(word).expanduser() for word in _words_parsed(name, absolute, "absolute paths")]


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


def token(name: str, *, shortest: int = SHORTEST_SECRET) -> str:
    """A secret that fits into an HTTP header, or ``""`` when the variable is empty."""

    def is_valid(value: str) -> bool:
        return value.isascii() and value.isprintable() and len(value) >= shortest

    expected = f"{shortest} or more printable ASCII characters"
    return parsed(name, "", _checked(is_valid), expected, secret=True)


def http_url(name: str) -> str:
    """An http(s) URL without a trailing slash, or ``""`` when the variable is empty."""

    def is_valid(value: str) -> bool:
        parts = urlsplit(value)  # urlsplit and the port raise ValueError
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        return bool(is_address) and not (parts.query or parts.fragment)

    expected = "an address such as https://runs.example.com"
    return parsed(name, "", _checked(is_valid), expected).rstrip("/")


def https_url(name: str) -> str:
    """As ``http_url``, but plain HTTP is allowed for loopback addresses only."""
    value = http_url(name)
    parts = urlsplit(value)
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must begin with https://.")
    return value


def redis_url(name: str) -> str:
    """The URL of a Redis or Valkey server, or ``""`` when the variable is empty."""

    def is_valid(value: str) -> bool:
        parts = urlsplit(value)
        if parts.scheme == "unix":
            return len(parts.path) > 1
        is_server = parts.scheme in {"redis", "rediss"} and parts.hostname and parts.port != 0
        return bool(is_server) and (parts.path.strip("/") or "0").isdecimal()

    forms = "redis://:password@host:6379/0, rediss://host or unix:///path/to/socket"
    return parsed(name, "", _checked(is_valid), f"an address such as {forms}", secret=True)


def require(name: str, *others: str) -> None:
    """Refuse the first variable when one of the others is not set."""
    missing = [other for other in others if text(name) and not text(other)]
    if missing:
        raise ImproperlyConfigured(f"{name} is set; {' and '.join(missing)} must be set too.")


def secret(name: str, path: Path, *, shortest: int) -> str:
    """A secret from the variable, else from the file ``path``, which is created if needed.

    The web server and the workers start at the same time and must use the same secret. Each
    writes a draft and links it to ``path``, which succeeds only for the first.

    Args:
        shortest: the fewest characters that a secret in the variable may have.
    """
    is_long_enough = _checked(lambda value: len(value) >= shortest)
    if value := parsed(name, "", is_long_enough, f"{shortest} or more characters", secret=True):
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
