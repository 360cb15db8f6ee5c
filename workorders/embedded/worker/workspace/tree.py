"""Copies a workspace's files, directories and links so that none of them leads to the original."""

import mmap
import os
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from workorders.embedded.worker.workspace.files import (
    FileCopier,
    copy_user_attributes,
    opened,
    read_all,
    unless_removed,
    write_all,
)
from workorders.embedded.worker.workspace.pointers import (
    COMMON,
    LOCKS,
    NOT_SHARED,
    PER_WORKTREE_POINTERS,
    common_directory,
    git_directory,
    refuse_shared_history,
)
from workorders.embedded.worker.workspace.relocation import HEAD, LARGEST_TEXT, Relocation

SMALL = 1024 * 1024
"""Bytes. Files up to this size are read into memory; larger files are copied by ``FileCopier`` and
searched afterwards."""
_REPOSITORY = frozenset({"HEAD", "objects", "refs"})
"""The entries by which git recognizes a repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """A directory to copy. ``searched``: whether its files are searched for the original's path.

    ``only`` names the entries to copy (None: all), ``without`` the entries to leave out.
    """

    source: str
    target: str
    in_repository: bool = False
    searched: bool = True
    merged: bool = False
    """The target may exist already; its files are kept then."""
    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()


@dataclass(slots=True)
class Report:
    """What was found and done. Paths are relative to the workspace, except where stated."""

    rewritten: list[str] = field(default_factory=list)
    changed_links: list[str] = field(default_factory=list)
    links_elsewhere: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of a link and the place outside the workspace that it leads to (absolute)."""
    left_out: list[str] = field(default_factory=list)
    unlinked: list[str] = field(default_factory=list)
    """Left-out programs and libraries, which would have loaded libraries of the original."""
    repositories: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of git directories: the original and its copy, both absolute."""
    detached: list[str] = field(default_factory=list)
    """Copies (absolute) of git directories that are outside the workspace."""


class TreeCopier:
    """Copies one workspace. Directories in ``left_out`` are not copied."""

    def __init__(
        self,
        relocation: Relocation,
        check_stop: Callable[[], None],
        left_out: Iterable[Path],
    ) -> None:
        self._relocation = relocation
        self._check_stop = check_stop
        self._files = FileCopier(check_stop)
        self._left_out = {identity for path in left_out if (identity := _identity(path))}
        self._pending: list[Directory] = []
        self._finished: list[tuple[str, os.stat_result]] = []
        self._hard_links: dict[tuple[int, int], str] = {}
        self._followed: set[str] = set()
        self.report = Report()

    def copy(self, source: str) -> Report:
        """Copy the tree. Raises ``OSError``, ``WorkspaceError`` and errors of ``check_stop``."""
        self._pending.append(Directory(source=source, target=self._relocation.target))
        while self._pending:
            directory = self._pending.pop()
            with unless_removed(directory.source):
                self._copy_directory(directory)
        # Modes and times come last: no file can be created in a read-only directory, and every
        # new file changes the times of its directory.
        for path, status in reversed(self._finished):
            with suppress(FileNotFoundError):
                os.chmod(path, status.st_mode & 0o777)  # noqa: PTH101
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        return self.report

    def _copy_directory(self, directory: Directory) -> None:
        status = os.stat(directory.source)  # noqa: PTH116
        with suppress(FileExistsError):
            os.mkdir(directory.target, 0o700)  # noqa: PTH102
        self._finished.append((directory.target, status))
        with os.scandir(directory.source) as found:
            entries = list(found)
        names = {entry.name for entry in entries}
        is_repository = names >= _REPOSITORY
        if is_repository:
            self.report.repositories.append((directory.source, directory.target))
        refuse_shared_history(directory.source, names)
        for entry in entries:
            self._check_stop()
            if directory.only is not None and entry.name not in directory.only:
                continue
            if entry.name in directory.without or (is_repository and entry.name in LOCKS):
                continue
            with unless_removed(entry.path):
                self._copy_entry(entry, directory, is_repository=is_repository)

    def _copy_entry(
        self, entry: os.DirEntry[str], parent: Directory, *, is_repository: bool
    ) -> None:
        target = f"{parent.target}/{entry.name}"
        is_pointer = entry.name == ".git" and not entry.is_dir(follow_symlinks=False)
        if is_pointer and self._detach_repository(entry.path, target):
            return
        if entry.is_symlink():
            self._copy_link(
                entry, parent, target, in_repository=parent.in_repository or is_repository
            )
        elif entry.is_dir(follow_symlinks=False):
            self._enter(entry, parent, target, is_repository=is_repository)
        elif parent.merged and os.path.lexists(target):
            return
        elif entry.is_file(follow_symlinks=False):
            self._copy_file(entry.path, target, searched=parent.searched)
        else:  # a socket, a pipe or a device
            self.report.left_out.append(self._relative(target))

    def _enter(
        self, entry: os.DirEntry[str], parent: Directory, target: str, *, is_repository: bool
    ) -> None:
        status = entry.stat(follow_symlinks=False)
        if (status.st_dev, status.st_ino) in self._left_out:
            self.report.left_out.append(self._relative(target))
            return
        self._pending.append(
            Directory(
                source=entry.path,
                target=target,
                in_repository=parent.in_repository or is_repository,
                # Objects are compressed and named after their content, so they are not rewritten.
                searched=parent.searched and not (is_repository and entry.name == "objects"),
                merged=parent.merged,
                without=NOT_SHARED.get(entry.name, frozenset()) if parent.only else frozenset(),
            )
        )

    # --- Links ---

    def _copy_link(
        self, entry: os.DirEntry[str], parent: Directory, target: str, *, in_repository: bool
    ) -> None:
        raw = os.readlink(entry.path)  # noqa: PTH115
        new, elsewhere = self._relocation.link(raw, parent.source)
        if elsewhere and in_repository and self._follow(entry.path, parent, target):
            return
        os.symlink(new, target)  # noqa: PTH211
        if new != raw:
            self.report.changed_links.append(self._relative(target))
        if elsewhere:
            self.report.links_elsewhere.append((self._relative(target), elsewhere))

    def _follow(self, link: str, parent: Directory, target: str) -> bool:
        """Copy the target of a link in a repository, because commits would write to the target."""
        place = os.path.realpath(link)
        if os.path.isfile(place):  # noqa: PTH113
            self._copy_file(place, target, searched=parent.searched)
            return True
        if not os.path.isdir(place) or place in self._followed:  # noqa: PTH112
            return False
        self._followed.add(place)
        self._pending.append(
            Directory(source=place, target=target, in_repository=True, searched=False)
        )
        return True

    def _detach_repository(self, path: str, target: str) -> bool:
        """Copy a repository outside the workspace that ``.git`` (a file or a link) leads to."""
        place = git_directory(path)
        if place is None or self._relocation.inside(place) is not None:
            return False
        os.mkdir(target, 0o700)  # noqa: PTH102
        common = common_directory(place)
        own = Directory(
            source=place,
            target=target,
            in_repository=True,
            merged=True,
            without=PER_WORKTREE_POINTERS | LOCKS,
        )
        if common != place:
            # The directory that is appended last is copied first, so its files take precedence.
            self._pending.append(
                Directory(
                    source=common, target=target, in_repository=True, merged=True, only=COMMON
                )
            )
        self._pending.append(own)
        self.report.detached.append(target)
        return True

    # --- Files ---

    def _copy_file(self, path: str, target: str, *, searched: bool) -> None:
        with opened(path) as source:
            status = os.fstat(source)
            if not stat.S_ISREG(status.st_mode):
                return
            if status.st_nlink > 1 and self._link_again(status, target):
                return
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            copy = os.open(target, flags, 0o600)
            try:
                is_changed = self._fill(
                    source, copy, status, self._relative(target), searched=searched
                )
                copy_user_attributes(source, copy)
                os.fchmod(copy, status.st_mode & 0o777)  # without setuid bits
                if not is_changed:  # a rewritten file is newer than what was built from it
                    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
            finally:
                os.close(copy)
        if self.report.unlinked and self.report.unlinked[-1] == self._relative(target):
            os.unlink(target)  # noqa: PTH108

    def _fill(
        self, source: int, copy: int, status: os.stat_result, path: str, *, searched: bool
    ) -> bool:
        """Write the content. Returns whether it differs from the original's content."""
        data = None
        if status.st_size <= SMALL:
            data = read_all(source, status.st_size)
        else:
            self._files.copy(source, copy, status)
            if searched and status.st_size <= LARGEST_TEXT:
                head = os.pread(source, HEAD, 0)
                if head.startswith(b"\x7fELF"):
                    with mmap.mmap(source, 0, prot=mmap.PROT_READ) as mapped:
                        self._check_libraries(mapped, path)
                elif b"\0" not in head:
                    data = read_all(source, status.st_size)
        if data is None:
            return False
        new = data
        if searched:
            if data.startswith(b"\x7fELF"):
                self._check_libraries(data, path)
            else:
                new = self._relocation.rewritten(data, path)
        if new is not data:
            self.report.rewritten.append(path)
            os.ftruncate(copy, 0)
        if new is not data or status.st_size <= SMALL:
            write_all(copy, new)
        return new is not data

    def _check_libraries(self, data: mmap.mmap | bytes, path: str) -> None:
        if self._relocation.is_loaded_from_original(data):
            self.report.unlinked.append(path)

    def _link_again(self, status: os.stat_result, target: str) -> bool:
        """Link ``target`` to an earlier copy of the same file; False if that is impossible."""
        identity = (status.st_dev, status.st_ino)
        first = self._hard_links.setdefault(identity, target)
        if first == target:
            return False
        try:
            os.link(first, target)
        except OSError:  # a file system without hard links
            return False
        return True

    def _relative(self, target: str) -> str:
        return target[len(self._relocation.target) + 1 :]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
