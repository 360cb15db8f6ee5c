"""The profiles: what a run executes and within which limits, from a TOML file on the server.

``settings.PROFILES_FILE``, or the packaged example while that file does not
exist. It is read again when it changes. Commands never leave the server.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
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

_KEYS = {"description", "agent", "verify", "max_iterations", "time_limit"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class ProfileError(Exception):
    """The profiles file cannot be used; the message is one sentence for its owner."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Two shell commands and the limits of a run; ``time_limit`` in seconds."""

    name: str
    description: str
    agent: str
    verify: str
    max_iterations: int
    time_limit: int
    built_in: bool


class Profiles(dict[str, Profile]):
    """Profiles by name, in the file's order; never empty."""

    @property
    def default(self) -> Profile:
        return self.get("default") or next(iter(self.values()))

    def named(self, name: str) -> Profile | None:
        """The profile of that name, the default one for an empty name, None if unknown."""
        return self.get(name) if name else self.default


def load_profiles() -> Profiles:
    """Raises ``ProfileError``."""
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
        max_iterations=_whole(
            where, table, "max_iterations", DEFAULT_MAX_ITERATIONS, MAX_ITERATIONS
        ),
        time_limit=_whole(where, table, "time_limit", DEFAULT_TIME_LIMIT, MAX_TIME),
        built_in=built_in,
    )


def _text(where: str, table: dict[str, Any], key: str, *, required: bool = True) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or "\0" in value or (required and not value.strip()):
        raise ProfileError(f"{where}: {key} must be a text{' and not empty' if required else ''}.")
    return value


def _whole(where: str, table: dict[str, Any], key: str, default: int, maximum: int) -> int:
    value = table.get(key, default)
    if type(value) is not int or not 1 <= value <= maximum:
        raise ProfileError(f"{where}: {key} must be a whole number from 1 to {maximum}.")
    return value


def check_profiles(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001 (the signature of a check)
    **kwargs: Any,  # noqa: ARG001
) -> list[checks.CheckMessage]:
    """A wrong profiles file stops the start, not the first run.

    Raised like any other wrong setting: a check's message would become four lines.
    """
    try:
        load_profiles()
    except ProfileError as exc:
        raise ImproperlyConfigured(str(exc)) from exc
    return []
