"""Where workspaces may lie: below one of ``WORKSPACE_ROOTS``, or anywhere if none is set."""

import os
from pathlib import Path

from django.conf import settings


def is_allowed(path: str) -> bool:
    """Whether the path is allowed by its text alone; symbolic links are not followed.

    The web server that creates a work order may run on another machine than the workspace.
    """
    return _is_below(Path(os.path.normpath(path)), settings.WORKSPACE_ROOTS)


def is_allowed_here(path: Path) -> bool:
    """Whether the path is allowed on the machine that copies it; symbolic links are followed."""
    return _is_below(path.resolve(), [root.resolve() for root in settings.WORKSPACE_ROOTS])


def allowed_in_words() -> str:
    """The roots as text for people, such as ``/srv/work or /home/work``."""
    return " or ".join(map(str, settings.WORKSPACE_ROOTS))


def _is_below(path: Path, roots: list[Path]) -> bool:
    examples = settings.DATA_DIR / "examples"  # the product's own workspaces
    return not roots or any(path.is_relative_to(root) for root in (*roots, examples))
