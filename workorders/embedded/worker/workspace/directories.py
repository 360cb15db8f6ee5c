"""The directories of the runs: one for each copy, one for what its commands are given."""

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
    """For what the commands are given; beside the copy, so that it is no part of the work."""
    directory = make_workspaces_directory() / f"{run_id}{INPUT_SUFFIX}"
    directory.mkdir(exist_ok=True)
    return directory


def make_workspaces_directory() -> Path:
    """For this user alone: what is copied may be nobody else's to read."""
    directory: Path = settings.WORKSPACES_DIR
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def prune_workspaces() -> None:
    """Remove all but the newest ``WORKSPACES_KEPT`` copies, of ``WORKSPACES_MAX_BYTES`` in all.

    The newest copy stays however large it is, and so do those of runs in progress. A run that
    has ended before its first iteration has left nothing to look at, maybe half a copy.

    Copies that were made before ``WORKSPACES_DIR`` changed its default are counted as well.
    """
    places = {settings.WORKSPACES_DIR, *settings.FORMER_WORKSPACES_DIRS}
    found = [path for place in places for path in place.glob(f"{PREFIX}*") if path.is_dir()]
    ids = {path.name.removesuffix(INPUT_SUFFIX) for path in found}
    # Only what this database knows to have ended: another installation may share the directory.
    ended = Run.objects.filter(~Q(status__in=ACTIVE), pk__in=ids).order_by("-started_at")
    used = ended.filter(iteration_count__gt=0).values_list("pk", flat=True)
    kept = set(_that_fit([path for run_id in used for path in found if path.name == run_id]))
    outdated = set(ended.values_list("pk", flat=True)) - kept
    for path in found:
        if path.name.removesuffix(INPUT_SUFFIX) in outdated:
            remove_tree(path)
            _size_file(path).unlink(missing_ok=True)


def _that_fit(copies: Iterable[Path]) -> Iterator[str]:
    """The names of those that are kept; newest first."""
    total = 0
    for place, copy in enumerate(copies):
        total += _size_of(copy)
        too_much = settings.WORKSPACES_MAX_BYTES and total > settings.WORKSPACES_MAX_BYTES
        if place >= settings.WORKSPACES_KEPT or (place and too_much):
            return
        yield copy.name


def _size_of(copy: Path) -> int:
    """In bytes. Remembered in a file beside the copy: nobody writes there after the run."""
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
    """Also with directories that were made read-only (module caches are)."""

    def make_writable(remove: Callable[..., Any], name: str, _: BaseException) -> None:
        # What cannot be removed even then is left for the next time.
        with contextlib.suppress(OSError, TypeError):
            Path(name).parent.chmod(stat.S_IRWXU)
            remove(name)

    try:
        shutil.rmtree(path, onexc=make_writable)
    except RecursionError:  # rmtree calls itself for each level
        _remove_deep_tree(path)


def _remove_deep_tree(path: Path) -> None:
    for directory, names, files in os.walk(path, topdown=False):
        for name in (*names, *files):
            entry = Path(directory, name)
            with contextlib.suppress(OSError):
                entry.rmdir() if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    with contextlib.suppress(OSError):
        path.rmdir()
