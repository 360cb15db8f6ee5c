"""Chooses the directory for copies of workspaces: one that is inside no project.

Tools search the directories above a file for configuration, and must not find another project's.
"""

import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

PROJECT_MARKERS = (
    ".git",
    ".hg",
    ".jj",
    "Cargo.toml",
    "build.gradle",
    "composer.json",
    "conftest.py",
    "go.mod",
    "go.work",
    "mypy.ini",
    "node_modules",
    "package.json",
    "pnpm-workspace.yaml",
    "pyproject.toml",
    "pytest.ini",
    "ruff.toml",
    "setup.cfg",
    "settings.gradle",
    "tox.ini",
    "tsconfig.json",
)
"""Names that git, pytest, ruff, mypy, npm, tsc, cargo, go and others search for upwards."""


def workspaces_directories(data_dir: Path) -> Sequence[Path]:
    """Candidates, best first: below the data directory, the user's state directory, ``/var/tmp``.

    The state directory is that of the XDG Base Directory Specification (``~/.local/state``). The
    last candidate serves users whose home directory is a project; its name has the user's ID.
    """
    home = Path.home()
    state = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    temporary = Path("/var/tmp")  # noqa: S108 (the directory is made for this user alone, and checked)
    if not temporary.is_dir():
        temporary = Path(tempfile.gettempdir())
    return [
        data_dir / "workspaces",
        state / "run-dashboard" / "workspaces",
        temporary / f"run-dashboard-{os.getuid()}" / "workspaces",
    ]


def best_workspaces_directory(candidates: Sequence[Path]) -> Path:
    """The first candidate that is writable and inside no project; else the second candidate."""
    usable = (place for place in candidates if _is_usable(place) and not _is_in_project(place))
    return next(usable, candidates[1])


def _is_in_project(place: Path) -> bool:
    return any((parent / name).exists() for parent in place.parents for name in PROJECT_MARKERS)


def _is_usable(place: Path) -> bool:
    """Whether the directory exists or can be created, and belongs to no other user."""
    nearest = next(path for path in (place, *place.parents) if path.exists())
    is_shared = nearest.parent.stat().st_mode & stat.S_ISVTX  # the sticky bit, as on /var/tmp
    is_foreign = bool(is_shared) and nearest.stat().st_uid != os.getuid()
    return os.access(nearest, os.W_OK) and not is_foreign
