"""Copies the content of a file by the fastest method that works.

The methods are: sharing the original's blocks, copying inside the kernel, or reading and writing.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterator

from workorders.embedded.worker.workspace.errors import WorkspaceError, printable

CHUNK = 8 * 1024 * 1024
"""Bytes copied between two checks of whether to stop."""
FICLONE = 0x40049409
"""See ``ioctl_ficlone(2)``: both files share their blocks until one of the files changes."""
_UNSUPPORTED = frozenset(
    {
        errno.EBADF,
        errno.EINVAL,
        errno.ENOSYS,
        errno.ENOTTY,
        errno.EOPNOTSUPP,
        errno.EPERM,
        errno.EXDEV,
    }
)
"""The errors of file systems that do not support a call."""


class FileCopier:
    """Copies files, and remembers which methods the file system does not support."""

    def __init__(self, check_stop: Callable[[], None]) -> None:
        self._check_stop = check_stop
        self._clones = os.uname().sysname == "Linux"
        self._copies_ranges = hasattr(os, "copy_file_range")

    def copy(self, source: int, target: int, status: os.stat_result) -> None:
        """Copy the content of one open file to another, empty one. Holes stay holes.

        ``source`` and ``target`` are file descriptors. Raises ``OSError``, and what
        ``check_stop`` raises between two chunks.
        """
        if self._clone(source, target):
            return
        os.ftruncate(target, status.st_size)
        for start, end in _data_ranges(source, status):
            offset = start
            while offset < end:
                self._check_stop()
                copied = self._copy_range(source, target, offset, min(CHUNK, end - offset))
                if not copied:  # the original has become shorter meanwhile
                    break
                offset += copied

    def _clone(self, source: int, target: int) -> bool:
        if self._clones:
            try:
                fcntl.ioctl(target, FICLONE, source)
            except OSError as exc:
                if exc.errno not in _UNSUPPORTED:
                    raise
                self._clones = False
        return self._clones

    def _copy_range(self, source: int, target: int, offset: int, length: int) -> int:
        if self._copies_ranges:
            try:
                copied = os.copy_file_range(source, target, length, offset, offset)
            except OSError as exc:
                if exc.errno not in _UNSUPPORTED:
                    raise
                self._copies_ranges = False
            else:
                # Some virtual file systems copy nothing this way, although their files can be read.
                if copied:
                    return copied
        data = os.pread(source, length, offset)
        write_all(target, data, offset)
        return len(data)


@contextlib.contextmanager
def opened(path: str) -> Iterator[int]:
    """Open a file for reading. Yields the file descriptor.

    A pipe or a symbolic link may have taken the place of the file meanwhile. Opening never waits
    for a pipe.

    Raises:
        WorkspaceError: the path is a symbolic link now.
        OSError: the file cannot be opened.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise WorkspaceError(f"{printable(path)} changed while it was copied.") from exc
        raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def unless_removed(source: str) -> Iterator[None]:
    """Ignore ``FileNotFoundError`` if ``source`` has been removed.

    Other programs may remove files of the original after its directory was listed.
    """
    try:
        yield
    except FileNotFoundError:
        if os.path.lexists(source):
            raise


def write_all(target: int, data: bytes, offset: int = 0) -> None:
    """Write all data to a file descriptor, because one write may be partial."""
    view = memoryview(data)
    while view:
        written = os.pwrite(target, view, offset)
        view = view[written:]
        offset += written


def read_all(source: int, size: int) -> bytes:
    """The content of the file, read to its end. The file may have grown beyond ``size`` bytes."""
    parts = []
    offset = 0
    while data := os.pread(source, max(size + 1 - offset, 65_536), offset):
        parts.append(data)
        offset += len(data)
    return b"".join(parts)


def _data_ranges(source: int, status: os.stat_result) -> Iterator[tuple[int, int]]:
    """The ranges of the file that are not holes, as offsets in bytes: start and end."""
    size = status.st_size
    if status.st_blocks * 512 >= size:
        yield 0, size
        return
    end = 0
    with contextlib.suppress(OSError):  # ENXIO means that only a hole follows
        while end < size:
            start = os.lseek(source, end, os.SEEK_DATA)
            end = min(os.lseek(source, start, os.SEEK_HOLE), size)
            yield start, end


def copy_user_attributes(source: int, target: int) -> None:
    """Copy the extended attributes in the namespace ``user``.

    Other extended attributes are not copied, because they could grant rights, as setuid bits do.
    """
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(source):
            if name.startswith("user."):
                os.setxattr(target, name, os.getxattr(source, name))
