"""Makes and removes the copy of the workspace that each run works in.

A copy is independent of the original: nothing that a run does in its copy reaches the original.
"""

from workorders.embedded.worker.workspace.barrier import barrier_environment
from workorders.embedded.worker.workspace.copying import WorkspaceCopy, copy_workspace
from workorders.embedded.worker.workspace.directories import (
    input_directory,
    prune_workspaces,
    remove_tree,
)
from workorders.embedded.worker.workspace.errors import WorkspaceError

__all__ = [
    "WorkspaceCopy",
    "WorkspaceError",
    "barrier_environment",
    "copy_workspace",
    "input_directory",
    "prune_workspaces",
    "remove_tree",
]
