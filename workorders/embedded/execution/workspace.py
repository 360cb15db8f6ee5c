"""A run's own copy of its work order's workspace."""

import contextlib
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q

from workorders.embedded.models import ACTIVE, Run

PREFIX = "run-"
INPUT_SUFFIX = ".input"


class WorkspaceError(Exception):
    """The workspace cannot be copied; the message is for the run's page."""


def copy_workspace(source: Path, run_id: str, before_each_file: Callable[[], None]) -> Path:
    """The copy, symlinks kept as symlinks and ``.git`` included.

    ``before_each_file`` may raise to end it. Raises ``WorkspaceError``.
    """
    if not source.is_dir():
        raise WorkspaceError(f"Workspace not found: {source}")
    target = settings.WORKSPACES_DIR / run_id

    def copy_file(file: str, copy: str) -> str:
        before_each_file()
        return shutil.copy2(file, copy)

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, symlinks=True, ignore=_left_out, copy_function=copy_file)
    except shutil.Error as exc:
        file, _, reason = exc.args[0][0]
        raise WorkspaceError(f"Workspace could not be copied: {file}: {reason}") from exc
    except OSError as exc:
        raise WorkspaceError(f"Workspace could not be copied: {exc}") from exc
    return target


def _left_out(directory: str, names: list[str]) -> set[str]:
    """Sockets, pipes and devices, which cannot be copied; the product's own data, which
    lies inside a workspace when someone works on this product, copies included.
    """
    return {name for name in names if not _is_copied(Path(directory, name))}


def _is_copied(path: Path) -> bool:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return True  # let the copy itself fail and say why
    if stat.S_ISDIR(mode):
        return path.resolve() != settings.DATA_DIR
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def input_directory(run_id: str) -> Path:
    """For what the commands are given; beside the copy, so that it is no part of the work."""
    directory: Path = settings.WORKSPACES_DIR / f"{run_id}{INPUT_SUFFIX}"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def prune_workspaces() -> None:
    """Remove all but the newest ``WORKSPACES_KEPT`` copies, and none of a run in progress."""
    found = [path for path in settings.WORKSPACES_DIR.glob(f"{PREFIX}*") if path.is_dir()]
    ids = {path.name.removesuffix(INPUT_SUFFIX) for path in found}
    # Only what this database knows to have ended: another installation may share the directory.
    ended = (
        Run.objects.filter(~Q(status__in=ACTIVE), pk__in=ids)
        .order_by("-started_at")
        .values_list("pk", flat=True)[settings.WORKSPACES_KEPT :]
    )
    outdated = set(ended)
    for path in found:
        if path.name.removesuffix(INPUT_SUFFIX) in outdated:
            remove_tree(path)


def remove_tree(path: Path) -> None:
    """Also with directories that were made read-only (module caches are)."""

    def make_writable(remove: Callable[..., Any], name: str, _: BaseException) -> None:
        # What cannot be removed even then is left for the next time.
        with contextlib.suppress(OSError, TypeError):
            Path(name).parent.chmod(stat.S_IRWXU)
            remove(name)

    shutil.rmtree(path, onexc=make_writable)
