"""Measures the disk space of copies, and checks that there is enough for another copy."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from django.template.defaultfilters import filesizeformat

from workorders.embedded.worker.workspace.errors import WorkspaceError, printable
from workorders.embedded.worker.workspace.files import FICLONE
from workorders.processes.disk_space import free_bytes

BLOCK = 512
"""The unit of ``st_blocks``, in bytes (stat(2))."""


def require_room(source: Path, directory: Path, check_stop: Callable[[], None]) -> None:
    """Check that ``directory`` has enough free space for a copy of ``source``.

    This is checked before copying begins, because a full disk would stop the database as well.

    Raises:
        WorkspaceError: there is not enough space.
        OSError: the free space cannot be read. Errors of ``check_stop`` are raised as well.
    """
    free = free_bytes(directory)
    needed = 0
    for file in _files(source):
        check_stop()
        needed += _size(file)
        if needed > free:
            if _shares_blocks(file.path, directory):
                return
            raise WorkspaceError(
                "There is not enough room for a copy of the workspace: it takes more than the "
                f"{filesizeformat(max(free, 0))} that are left for {printable(directory)}. "
                "Free some, or set WORKSPACES_DIR to a directory on a larger disk."
            )


def disk_usage(directory: Path) -> int:
    """The bytes that the directory takes on the disk. Files with several hard links count once."""
    return sum(map(_size, _files(directory)))


def _files(directory: Path) -> Iterator[os.DirEntry[str]]:
    """The files of a directory tree, each once. Files that vanish or are unreadable are skipped."""
    seen: set[tuple[int, int]] = set()
    pending = [str(directory)]
    while pending:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    identity = (status.st_dev, status.st_ino)
                    if status.st_nlink == 1 or identity not in seen:
                        seen.add(identity)
                        yield entry


def _size(entry: os.DirEntry[str]) -> int:
    with contextlib.suppress(OSError):
        return entry.stat(follow_symlinks=False).st_blocks * BLOCK
    return 0


def _shares_blocks(file: str, directory: Path) -> bool:
    """Whether copies take no space, because the file system shares the original's blocks."""
    with (
        contextlib.suppress(OSError),
        Path(file).open("rb") as source,
        tempfile.TemporaryFile(dir=directory) as target,
    ):
        fcntl.ioctl(target, FICLONE, source.fileno())
        return True
    return False
