"""Virtual environments outside of the workspace that have the original installed."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from workorders.embedded.worker.workspace.errors import WorkspaceError, printable
from workorders.embedded.worker.workspace.relocation import Relocation

_PATTERNS = ("*.pth", "*.egg-link", "__editable__*.py")
_MOST = 1_000
"""Files of one environment; each editable install has one or two."""


def refuse_environment_elsewhere(links: Iterable[tuple[str, str]], relocation: Relocation) -> None:
    """Raise ``WorkspaceError`` if a link leads to an environment with the original in it.

    Tests run with its Python would import the original, whatever the copy says.
    """
    for link, place in links:
        if not Path(place, "pyvenv.cfg").is_file():
            continue
        for file in islice(_import_files(Path(place)), _MOST):
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
