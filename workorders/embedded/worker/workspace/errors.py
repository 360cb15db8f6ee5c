"""Why a workspace cannot be copied, in words for the run's page."""

import os


class WorkspaceError(Exception):
    """The workspace cannot be copied; the message is for the run's page."""


def not_copied(exc: OSError) -> WorkspaceError:
    where = f"{printable(exc.filename)}: " if isinstance(exc.filename, str | bytes) else ""
    return WorkspaceError(f"Workspace could not be copied: {where}{exc.strerror or exc}")


def printable(path: str | bytes | os.PathLike[str]) -> str:
    """The path on one line: bytes that are not UTF-8 replaced, control characters as escapes."""
    text = os.fsencode(path).decode(errors="replace")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
