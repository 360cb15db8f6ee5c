"""Where the copies of workspaces go: outside of any project, so that no tool finds one above."""

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
"""What git, pytest, ruff, mypy, npm, tsc, cargo, go and others look for in each directory above."""


def workspaces_directories(data_dir: Path) -> Sequence[Path]:
    """Candidates, best first: the data directory, the user's state directory, ``/var/tmp``.

    The state directory is XDG's (``~/.local/state``). The last candidate is for those who have
    a project in their home directory; it is the user's own as well.
    """
    home = Path.home()
    state = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    temporary = Path("/var/tmp")  # noqa: S108 (made for the user alone, and checked)
    if not temporary.is_dir():
        temporary = Path(tempfile.gettempdir())
    return [
        data_dir / "workspaces",
        state / "run-dashboard" / "workspaces",
        temporary / f"run-dashboard-{os.getuid()}" / "workspaces",
    ]


def best_workspaces_directory(candidates: Sequence[Path]) -> Path:
    """The first one that can be written and has no project above; else the second one."""
    usable = (place for place in candidates if _is_usable(place) and not _is_in_project(place))
    return next(usable, candidates[1])


def _is_in_project(place: Path) -> bool:
    return any((parent / name).exists() for parent in place.parents for name in PROJECT_MARKERS)


def _is_usable(place: Path) -> bool:
    """Whether the directory is, or can be made, and is no trap that another user has laid."""
    nearest = next(path for path in (place, *place.parents) if path.exists())
    is_shared = nearest.parent.stat().st_mode & stat.S_ISVTX  # as /var/tmp is
    is_foreign = bool(is_shared) and nearest.stat().st_uid != os.getuid()
    return os.access(nearest, os.W_OK) and not is_foreign
