"""How much room copies take, and whether there is enough for another one."""

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
"""Bytes of a unit of ``st_blocks`` (stat(2))."""


def require_room(source: Path, directory: Path, check_stop: Callable[[], None]) -> None:
    """Before a copy is begun: one that fills the disk takes the database's room as well.

    Raises ``WorkspaceError``, ``OSError``, and what ``check_stop`` raises.
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
    """Bytes on the disk; files with several names in the directory count once."""
    return sum(map(_size, _files(directory)))


def _files(directory: Path) -> Iterator[os.DirEntry[str]]:
    """Each file once. What vanishes meanwhile, or cannot be read, is passed over."""
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
    """Whether a copy takes no room, because the file system shares the original's blocks."""
    with (
        contextlib.suppress(OSError),
        Path(file).open("rb") as source,
        tempfile.TemporaryFile(dir=directory) as target,
    ):
        fcntl.ioctl(target, FICLONE, source.fileno())
        return True
    return False
