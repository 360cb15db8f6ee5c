"""Where a version control directory leads when it does not hold the history itself.

Which files of a git directory are shared by its worktrees: gitrepository-layout(5).
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
"""What linked worktrees share; the other entries belong to the main worktree."""
NOT_SHARED = {
    "info": frozenset({"sparse-checkout"}),
    "logs": frozenset({"HEAD"}),
    "refs": frozenset({"bisect", "rewritten", "worktree"}),
}
"""Of the shared directories: entries that are the main worktree's own."""
PER_WORKTREE_POINTERS = frozenset({"commondir", "gitdir", "locked", "modules"})
"""Of a linked worktree: they lead to where it stands. Submodules are copied to where they are."""
LOCKS = frozenset({"HEAD.lock", "config.lock", "index.lock", "gc.pid", "packed-refs.lock"})
"""A git command at work in the original; nobody would ever release them in the copy."""


def git_directory(path: str) -> str | None:
    """The real path of the directory that ``.git``, a file or a link, leads to; None: nowhere.

    The file holds ``gitdir: <path>``, absolute or relative to the file.
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
    """Of a linked worktree's git directory: the main one's; otherwise ``git_dir`` itself.

    The file ``commondir`` holds its path, absolute or relative to ``git_dir``.
    """
    try:
        raw = Path(git_dir, "commondir").read_bytes().rstrip(b"\r\n")
    except OSError:
        return git_dir
    return os.path.realpath(os.path.join(git_dir, os.fsdecode(raw)))  # noqa: PTH118


def refuse_shared_history(directory: str, names: AbstractSet[str]) -> None:
    """Raise ``WorkspaceError`` for a share of Mercurial or a second workspace of Jujutsu.

    Their commits land in the repository that they lead to. Copying that is not supported.
    """
    base = os.path.basename(directory)  # noqa: PTH119
    is_share = base == ".hg" and "sharedpath" in names
    is_second = base == ".jj" and "repo" in names and Path(directory, "repo").is_file()
    if is_share or is_second:
        raise WorkspaceError(
            f"The workspace's {base} keeps its history in another directory: commits of the run "
            "would land there. Use a clone as the workspace."
        )
