"""Where workspaces may lie: below one of ``WORKSPACE_ROOTS``, or anywhere while there is none."""

import os
from pathlib import Path

from django.conf import settings


def is_allowed(path: str) -> bool:
    """By the path as it is written: who creates a work order may be on another machine."""
    return _is_below(Path(os.path.normpath(path)), settings.WORKSPACE_ROOTS)


def is_allowed_here(path: Path) -> bool:
    """On the machine that copies it, where links are followed."""
    return _is_below(path.resolve(), [root.resolve() for root in settings.WORKSPACE_ROOTS])


def allowed_in_words() -> str:
    return " or ".join(map(str, settings.WORKSPACE_ROOTS))


def _is_below(path: Path, roots: list[Path]) -> bool:
    examples = settings.DATA_DIR / "examples"  # the product's own
    return not roots or any(path.is_relative_to(root) for root in (*roots, examples))
