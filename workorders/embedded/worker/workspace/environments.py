"""Finds virtual environments outside the workspace that have the original installed."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from workorders.embedded.worker.workspace.errors import WorkspaceError, printable
from workorders.embedded.worker.workspace.relocation import Relocation

_PATTERNS = ("*.pth", "*.egg-link", "__editable__*.py")
_MAX_FILES = 1_000
"""How many files of an environment are read at most; an editable install has one or two."""


def refuse_environment_elsewhere(links: Iterable[tuple[str, str]], relocation: Relocation) -> None:
    """Raise ``WorkspaceError`` if a link leads to an environment that has the original installed.

    Tests that run with the Python of such an environment would import the original and not the
    copy. ``links`` are pairs of a link and the place that it leads to.
    """
    for link, place in links:
        if not Path(place, "pyvenv.cfg").is_file():
            continue
        for file in islice(_import_files(Path(place)), _MAX_FILES):
            data = file.read_bytes()
            if relocation.rewritten(data, file.name) is not data:
                raise WorkspaceError(
                    f"{printable(link)} leads to a virtual environment outside of the workspace "
                    f"that has the original installed ({printable(file)}): tests of the copy "
                    "would test the original. Put the environment into the workspace."
                )


def _import_files(environment: Path) -> Iterator[Path]:
    for pattern in _PATTERNS:
        yield from environment.glob(f"lib/python*/site-packages/{pattern}")
