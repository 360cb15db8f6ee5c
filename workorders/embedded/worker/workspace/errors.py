"""Errors of copying a workspace, with messages for the run's page."""

import os


class WorkspaceError(Exception):
    """The workspace cannot be copied. The message is shown on the run's page."""


def not_copied(exc: OSError) -> WorkspaceError:
    """The ``WorkspaceError`` that describes an error of the operating system."""
    where = f"{printable(exc.filename)}: " if isinstance(exc.filename, str | bytes) else ""
    return WorkspaceError(f"Workspace could not be copied: {where}{exc.strerror or exc}")


def printable(path: str | bytes | os.PathLike[str]) -> str:
    """The path as one line of text.

    Bytes that are not UTF-8 become U+FFFD, and characters that cannot be printed become escapes.
    """
    text = os.fsencode(path).decode(errors="replace")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
