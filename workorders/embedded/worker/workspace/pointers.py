"""Finds the repository of a version control directory that only points to another place.

gitrepository-layout(5) lists the entries of a git directory that its worktrees share.
"""

import os
from collections.abc import Set as AbstractSet
from pathlib import Path

from workorders.embedded.worker.workspace.errors import WorkspaceError

COMMON = frozenset(
    {
        "annex",
        "branches",
        "common",
        "config",
        "description",
        "hooks",
        "info",
        "lfs",
        "logs",
        "objects",
        "packed-refs",
        "refs",
        "reftable",
        "remotes",
        "rr-cache",
        "shallow",
        "svn",
    }
)
"""Entries that linked worktrees share. All other entries belong to the main worktree."""
NOT_SHARED = {
    "info": frozenset({"sparse-checkout"}),
    "logs": frozenset({"HEAD"}),
    "refs": frozenset({"bisect", "rewritten", "worktree"}),
}
"""Entries of shared directories that nevertheless belong to the main worktree alone."""
PER_WORKTREE_POINTERS = frozenset({"commondir", "gitdir", "locked", "modules"})
"""Entries of a linked worktree's git directory that are not copied.

They point to the place of the original worktree. Submodules are copied at their own places.
"""
LOCKS = frozenset({"HEAD.lock", "config.lock", "index.lock", "gc.pid", "packed-refs.lock"})
"""Locks of git commands that run in the original. Nothing would release them in the copy."""


def git_directory(path: str) -> str | None:
    """The real path of the directory that ``.git`` (a file or a link) leads to; None without one.

    Such a file contains ``gitdir: <path>``. The path is absolute, or relative to the file.
    """
    place = os.path.realpath(path)
    if os.path.isfile(place):  # noqa: PTH113
        with Path(place).open("rb") as file:
            kind, _, raw = file.read(8_192).partition(b": ")
        if kind != b"gitdir":
            return None
        directory = os.path.dirname(place)  # noqa: PTH120
        place = os.path.realpath(os.path.join(directory, os.fsdecode(raw.rstrip(b"\r\n"))))  # noqa: PTH118
    return place if os.path.isdir(place) else None  # noqa: PTH112


def common_directory(git_dir: str) -> str:
    """The git directory whose entries a linked worktree shares.

    A linked worktree's git directory has a file ``commondir`` with the path of the common
    directory, absolute or relative to ``git_dir``. Without this file it is ``git_dir`` itself.
    """
    try:
        raw = Path(git_dir, "commondir").read_bytes().rstrip(b"\r\n")
    except OSError:
        return git_dir
    return os.path.realpath(os.path.join(git_dir, os.fsdecode(raw)))  # noqa: PTH118


def refuse_shared_history(directory: str, names: AbstractSet[str]) -> None:
    """Raise ``WorkspaceError`` for a Mercurial share or a second Jujutsu workspace.

    Their commits land in another repository, and copying that repository is not supported.
    ``names`` are the entries of ``directory``.
    """
    base = os.path.basename(directory)  # noqa: PTH119
    is_share = base == ".hg" and "sharedpath" in names
    is_second = base == ".jj" and "repo" in names and Path(directory, "repo").is_file()
    if is_share or is_second:
        raise WorkspaceError(
            f"The workspace's {base} keeps its history in another directory: commits of the run "
            "would land there. Use a clone as the workspace."
        )
