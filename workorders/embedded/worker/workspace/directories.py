"""The directories of runs: each run has one for its copy and one for its commands' input."""

import contextlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q

from workorders.embedded.models import ACTIVE, Run
from workorders.embedded.worker.workspace.room import disk_usage

PREFIX = "run-"
INPUT_SUFFIX = ".input"
SIZE_SUFFIX = ".size"


def input_directory(run_id: str) -> Path:
    """The directory for the input of a run's commands; it is created if necessary.

    The directory is beside the copy, so that the input is not part of the work.
    """
    directory = make_workspaces_directory() / f"{run_id}{INPUT_SUFFIX}"
    directory.mkdir(exist_ok=True)
    return directory


def make_workspaces_directory() -> Path:
    """Create the directory of the copies, if necessary, and return it.

    Only this user may read the directory, because workspaces may be private.
    """
    directory: Path = settings.WORKSPACES_DIR
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def prune_workspaces() -> None:
    """Remove old copies.

    At most ``WORKSPACES_KEPT`` copies of ended runs are kept, the newest ones, with at most
    ``WORKSPACES_MAX_BYTES`` in total. The newest copy is kept however large it is. Copies of runs
    in progress are always kept. The copy of a run that ended before its first iteration is
    removed, because it holds no work and may be incomplete. Copies in the former default
    directories of ``WORKSPACES_DIR`` count as well.
    """
    places = {settings.WORKSPACES_DIR, *settings.FORMER_WORKSPACES_DIRS}
    found = [path for place in places for path in place.glob(f"{PREFIX}*") if path.is_dir()]
    ids = {path.name.removesuffix(INPUT_SUFFIX) for path in found}
    # Remove only copies of runs in this database: another installation may share the directory.
    ended = Run.objects.filter(~Q(status__in=ACTIVE), pk__in=ids).order_by("-started_at")
    used = ended.filter(iteration_count__gt=0).values_list("pk", flat=True)
    kept = set(_names_to_keep([path for run_id in used for path in found if path.name == run_id]))
    outdated = set(ended.values_list("pk", flat=True)) - kept
    for path in found:
        if path.name.removesuffix(INPUT_SUFFIX) in outdated:
            remove_tree(path)
            _size_file(path).unlink(missing_ok=True)


def _names_to_keep(copies: Iterable[Path]) -> Iterator[str]:
    """The names of the copies to keep. ``copies`` is sorted, newest first."""
    total = 0
    for place, copy in enumerate(copies):
        total += _size_of(copy)
        too_much = settings.WORKSPACES_MAX_BYTES and total > settings.WORKSPACES_MAX_BYTES
        if place >= settings.WORKSPACES_KEPT or (place and too_much):
            return
        yield copy.name


def _size_of(copy: Path) -> int:
    """The disk usage of a copy, in bytes.

    The size is stored in a file beside the copy, because a copy does not change after its run.
    """
    file = _size_file(copy)
    with contextlib.suppress(OSError, ValueError):
        return int(file.read_text())
    size = disk_usage(copy)
    with contextlib.suppress(OSError):
        file.write_text(str(size))
    return size


def _size_file(copy: Path) -> Path:
    return copy.with_name(f"{copy.name}{SIZE_SUFFIX}")


def remove_tree(path: Path) -> None:
    """Remove a directory, even if it contains read-only directories, such as module caches."""

    def make_writable(remove: Callable[..., Any], name: str, _: BaseException) -> None:
        # What still cannot be removed is left for the next call.
        with contextlib.suppress(OSError, TypeError):
            Path(name).parent.chmod(stat.S_IRWXU)
            remove(name)

    try:
        shutil.rmtree(path, onexc=make_writable)
    except RecursionError:  # rmtree is recursive, so a very deep tree is too much for it
        _remove_deep_tree(path)


def _remove_deep_tree(path: Path) -> None:
    for directory, names, files in os.walk(path, topdown=False):
        for name in (*names, *files):
            entry = Path(directory, name)
            with contextlib.suppress(OSError):
                entry.rmdir() if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    with contextlib.suppress(OSError):
        path.rmdir()
