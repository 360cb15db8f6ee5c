"""Copies a work order's workspace for a run."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from workorders.embedded.worker.workspace.barrier import project_above
from workorders.embedded.worker.workspace.directories import (
    make_workspaces_directory,
    remove_tree,
)
from workorders.embedded.worker.workspace.environments import refuse_environment_elsewhere
from workorders.embedded.worker.workspace.errors import (
    WorkspaceError,
    not_copied,
    printable,
)
from workorders.embedded.worker.workspace.relocation import Relocation
from workorders.embedded.worker.workspace.repositories import Repositories
from workorders.embedded.worker.workspace.room import require_room
from workorders.embedded.worker.workspace.tree import Report, TreeCopier

MAX_NAMES = 10
"""How many files or links a line of the log names at most."""


@dataclass(frozen=True, kw_only=True)
class WorkspaceCopy:
    """A finished copy. ``notes`` are lines for the run's log on how and why the copy differs."""

    path: Path
    notes: tuple[str, ...]


def copy_workspace(source: Path, run_id: str, check_stop: Callable[[], None]) -> WorkspaceCopy:
    """Make a self-contained copy of the workspace: nothing in the copy leads to the original.

    ``check_stop`` is called before each file and between the chunks of large files; it may raise
    an error to end the copying. A copy that was not finished is removed.

    Raises:
        WorkspaceError: the workspace cannot be copied.
    """
    try:
        target = _prepare(source, run_id)
        require_room(source, target.parent, check_stop)
    except OSError as exc:
        raise not_copied(exc) from exc
    try:
        return _copy(source, target, check_stop)
    except BaseException:
        remove_tree(target)
        raise


def _copy(source: Path, target: Path, check_stop: Callable[[], None]) -> WorkspaceCopy:
    try:
        relocation = Relocation(source, target)
        data_directories = (settings.DATA_DIR, settings.WORKSPACES_DIR)
        report = TreeCopier(relocation, check_stop, data_directories).copy(relocation.roots[-1])
        refuse_environment_elsewhere(report.links_elsewhere, relocation)
        _remove_stale_byte_code(target, report.rewritten)
        Repositories(relocation, report, check_stop).make_independent()
    except OSError as exc:
        raise not_copied(exc) from exc
    return WorkspaceCopy(path=target, notes=tuple(_notes(report, relocation)))


def _prepare(source: Path, run_id: str) -> Path:
    """The path of the future copy. Raises ``WorkspaceError`` if the workspace cannot be copied."""
    if not source.is_dir():
        raise WorkspaceError(f"Workspace not found: {printable(source)}")
    target = Path(os.path.realpath(settings.WORKSPACES_DIR)) / run_id
    real = Path(os.path.realpath(source))
    if _contains(real, target) or real == target:
        raise WorkspaceError(
            f"The workspace {printable(source)} contains the directory of the runs' copies, "
            f"{printable(target.parent)}. Set WORKSPACES_DIR to a directory outside of it."
        )
    if _contains(target, real):
        raise WorkspaceError("The workspace lies inside the copy that would be made of it.")
    if _is_same(real, settings.DATA_DIR):
        raise WorkspaceError("The workspace is the data directory of this product itself.")
    make_workspaces_directory()
    return target


def _contains(directory: Path, path: Path) -> bool:
    """Whether the path lies in the directory.

    Directories are compared by identity and not by name, because a directory may be mounted in
    two places.
    """
    return any(_is_same(parent, directory) for parent in path.parents)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _remove_stale_byte_code(target: Path, rewritten: Iterable[str]) -> None:
    """Remove the byte code of rewritten modules.

    Python uses byte code with an unchecked hash without comparing it with the source (PEP 552).
    """
    for path in rewritten:
        if path.endswith(".py"):
            module = target / path
            for file in (module.parent / "__pycache__").glob("*.pyc"):
                if file.name.startswith(f"{module.stem}."):
                    file.unlink()


def _notes(report: Report, relocation: Relocation) -> Iterable[str]:
    if report.rewritten:
        yield f"Paths that named the original now name the copy, in {_line(report.rewritten)}"
    if report.changed_links:
        yield f"Links that now lead to the same place from the copy: {_line(report.changed_links)}"
    if report.links_elsewhere:
        links = [f"{link} → {place}" for link, place in report.links_elsewhere]
        yield f"Links that lead out of the workspace: {_line(links)}"
    if relocation.left_unchanged:
        yield (
            f"Contain {printable(relocation.roots[0])}, which may be the original's path; "
            f"they were left as they are: {_line(relocation.left_unchanged)}"
        )
    if report.unlinked:
        yield (
            f"Left out, because they would load libraries of the original: {_line(report.unlinked)}"
        )
    if report.left_out:
        yield f"Left out (pipes, sockets, devices, this product's data): {_line(report.left_out)}"
    if marker := project_above(Path(relocation.target).parent):
        yield (
            f"Tools that walk up from the copy find {printable(marker)}, which is no part of "
            "the workspace. Set WORKSPACES_DIR to a directory outside of any project."
        )


def _line(names: list[str]) -> str:
    """The first ``MAX_NAMES`` names as one line, and the number of the others."""
    rest = len(names) - MAX_NAMES
    text = ", ".join(printable(name) for name in names[:MAX_NAMES])
    return f"{text} and {rest} more" if rest > 0 else text
