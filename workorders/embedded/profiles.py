"""The profiles: what a run executes and within which limits.

Profiles are read from the TOML file ``settings.PROFILES_FILE``, or from the packaged example
while that file does not exist. The file is read again when it changes. The API returns no
commands of a profile.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

EXAMPLES_DIR = Path(__file__).parent / "examples"
PACKAGED_FILE = EXAMPLES_DIR / "profiles.toml"

DEFAULT_MAX_ITERATIONS = 3
DEFAULT_TIME_LIMIT = 3600
MAX_ITERATIONS = 100
MAX_TIME = 86_400
MAX_LIMIT = 10_000_000

_KEYS = {
    *("description", "agent", "verify", "max_iterations", "time_limit", "pass_env", "env"),
    *("network", "readable", "writable", "limits"),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

WITHHELD = frozenset(
    {
        *("SECRET_KEY", "RUNS_API_KEY", "DATABASE_URL", "REDIS_URL", "METRICS_TOKEN"),
        "OIDC_CLIENT_SECRET",
    }
)
"""Variables of the product that no profile may pass on: with their values a command could act as
the product."""
GIVEN = frozenset(
    {
        *("WORK_ORDER_ID", "RUN_ID", "RUN_NUMBER", "ITERATION", "MAX_ITERATIONS"),
        *("PROMPT_FILE", "FEEDBACK_FILE", "PYTHON", "EXAMPLES_DIR"),
    }
)
"""Variables that describe the run to every command (``worker.environment``); no profile may set
them."""


class ProfileError(Exception):
    """The profiles file cannot be used. The message is a sentence for the person who edits it."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of each command of a run; None means the default in ``worker.isolation``.

    ``memory_mb`` (megabytes) and ``open_files`` (a number) apply to one process, ``file_mb``
    (megabytes) to one file, and ``processes`` (a number) to all processes of the command.
    """

    memory_mb: int | None = None
    processes: int | None = None
    open_files: int | None = None
    file_mb: int | None = None


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Two shell commands, their environment and the limits of a run.

    ``agent`` and ``verify`` are lines for ``/bin/sh``. ``time_limit`` is in seconds, for the run
    as a whole. ``pass_env`` names variables that the commands inherit from the worker; ``env``
    holds further variables with their values. ``network`` says whether the sandbox lets the
    commands use the network. ``readable`` and ``writable`` are paths, absolute or beginning with
    ``~``, that the sandbox leaves open. ``built_in`` is true for profiles of the packaged file.
    """

    name: str
    description: str
    agent: str
    verify: str
    max_iterations: int
    time_limit: int
    pass_env: tuple[str, ...]
    env: Mapping[str, str]
    network: bool
    readable: tuple[str, ...]
    writable: tuple[str, ...]
    limits: Limits
    built_in: bool


class Profiles(dict[str, Profile]):
    """Profiles by name, in the file's order; never empty."""

    @property
    def default(self) -> Profile:
        """The profile called ``default``; if there is none, the first of the file."""
        return self.get("default") or next(iter(self.values()))

    def named(self, name: str) -> Profile | None:
        """The profile of this name; the default profile for ``""``; None for an unknown name."""
        return self.get(name) if name else self.default


def load_profiles() -> Profiles:
    """Read the profiles file. Raises ``ProfileError`` if the file cannot be used."""
    path = settings.PROFILES_FILE if settings.PROFILES_FILE.exists() else PACKAGED_FILE
    try:
        stat = path.stat()
        return _parse(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, UnicodeDecodeError) as exc:
        raise ProfileError(f"{path} cannot be read: {exc}.") from exc


@lru_cache(maxsize=4)
def _parse(path: Path, _mtime_ns: int, _size: int) -> Profiles:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as exc:
        raise ProfileError(f"{path} is not valid TOML: {exc}.") from exc
    tables = data.get("profiles")
    if not isinstance(tables, dict) or not tables or set(data) != {"profiles"}:
        raise ProfileError(f"{path} must hold tables named [profiles.NAME], and nothing else.")
    return Profiles(
        {
            name: _profile(f"{path}: profile {name!r}", name, table, built_in=path == PACKAGED_FILE)
            for name, table in tables.items()
        }
    )


def _profile(where: str, name: str, table: object, *, built_in: bool) -> Profile:
    if not _NAME.fullmatch(name):
        raise ProfileError(f"{where}: a name is letters, digits, '_', '.' and '-', at most 64.")
    if not isinstance(table, dict):
        raise ProfileError(f"{where} must be a table: [profiles.{name}].")
    if unknown := sorted(set(table) - _KEYS):
        raise ProfileError(
            f"{where}: unknown key {unknown[0]!r}; known: {', '.join(sorted(_KEYS))}."
        )
    return Profile(
        name=name,
        description=_text(where, table, "description", required=False),
        agent=_text(where, table, "agent"),
        verify=_text(where, table, "verify"),
        max_iterations=_integer(
            where, table, "max_iterations", DEFAULT_MAX_ITERATIONS, MAX_ITERATIONS
        ),
        time_limit=_integer(where, table, "time_limit", DEFAULT_TIME_LIMIT, MAX_TIME),
        pass_env=_pass_env(where, table),
        env=_env(where, table),
        network=_network(where, table),
        readable=_paths(where, table, "readable"),
        writable=_paths(where, table, "writable"),
        limits=_limits(where, table),
        built_in=built_in,
    )


def _pass_env(where: str, table: dict[str, Any]) -> tuple[str, ...]:
    names = table.get("pass_env", [])
    if not isinstance(names, list):
        raise ProfileError(f'{where}: pass_env must be a list of names, such as ["API_TOKEN"].')
    for name in names:
        _check_variable(f"{where}: pass_env", name)
        if name in WITHHELD:
            raise ProfileError(
                f"{where}: pass_env must not name {name}: "
                "with the product's own a command could act as the product; "
                "a value for the command alone is given by env."
            )
    return tuple(names)


def _env(where: str, table: dict[str, Any]) -> Mapping[str, str]:
    values = table.get("env", {})
    if not isinstance(values, dict):
        raise ProfileError(f'{where}: env must be a table, such as {{CI = "true"}}.')
    for name, value in values.items():
        _check_variable(f"{where}: env", name)
        if not isinstance(value, str) or "\0" in value:
            raise ProfileError(f'{where}: env: {name} must be a text, such as "1".')
    return values


def _check_variable(where: str, name: object) -> None:
    if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
        raise ProfileError(
            f"{where} holds {name!r}; a variable's name is letters, digits and '_', no digit first."
        )
    if name in GIVEN:
        raise ProfileError(f"{where} must not name {name}: every run is given its own.")


def _network(where: str, table: dict[str, Any]) -> bool:
    value = table.get("network", "on")
    if value not in {"on", "off"}:
        raise ProfileError(f'{where}: network must be "on" or "off".')
    return bool(value == "on")


def _paths(where: str, table: dict[str, Any], key: str) -> tuple[str, ...]:
    paths = table.get(key, [])
    if not isinstance(paths, list):
        raise ProfileError(f'{where}: {key} must be a list of paths, such as ["~/.cache"].')
    for path in paths:
        if not isinstance(path, str) or "\0" in path or not re.match(r"/|~(/|$)", path):
            raise ProfileError(f"{where}: {key} holds {path!r}; a path begins with / or ~/.")
        if Path(path) == Path("/") or Path(path).is_relative_to("/proc"):
            raise ProfileError(f"{where}: {key} must not open / or /proc: nothing would be hidden.")
    return tuple(paths)


def _limits(where: str, table: dict[str, Any]) -> Limits:
    values = table.get("limits", {})
    known = {field.name for field in fields(Limits)}
    if not isinstance(values, dict) or (set(values) - known):
        raise ProfileError(
            f"{where}: limits must be a table, and known are {', '.join(sorted(known))}."
        )
    where = f"{where}: limits"
    return Limits(**{key: _integer(where, values, key, 0, MAX_LIMIT) for key in values})


def _text(where: str, table: dict[str, Any], key: str, *, required: bool = True) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or "\0" in value or (required and not value.strip()):
        raise ProfileError(f"{where}: {key} must be a text{' and not empty' if required else ''}.")
    return value


def _integer(where: str, table: dict[str, Any], key: str, default: int, maximum: int) -> int:
    value = table.get(key, default)
    if type(value) is not int or not 1 <= value <= maximum:
        raise ProfileError(f"{where}: {key} must be a whole number from 1 to {maximum}.")
    return value


def check_profiles(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 (the signature of a check)
    **kwargs: Any,  # noqa: ARG001
) -> list[checks.CheckMessage]:
    """Stop the start of the server when the profiles file is wrong, not only the first run.

    The error is raised like that of any other wrong setting, because Django prints a check's
    message on four lines.

    Raises:
        ImproperlyConfigured: the profiles file cannot be used.
    """
    try:
        load_profiles()
    except ProfileError as exc:
        raise ImproperlyConfigured(str(exc)) from exc
    return []
