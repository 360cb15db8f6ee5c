"""Splits a run's log, so that an open page can add to the log that it shows.

Control codes can change a line until the line ends. The last line of the log may be unfinished, so
each refresh of a page replaces the unfinished line and appends what follows. For that, the page
sends one byte offset: where its unfinished line begins in the log.
"""

import re
from dataclasses import dataclass
from typing import Self

from workorders.runs_api.schemas import LogPart

LONGEST_UNFINISHED = 65_536
"""The most characters of an unfinished line that a refresh reads again.

A refresh of a longer line continues in the middle of the line.
"""

_INEXACT = re.compile(r"[\x80-\x9f\ufffd]")
"""Characters that may stand for invalid UTF-8 in the log.

Their length in UTF-8 may differ from the number of bytes that the log has in their place.
"""


@dataclass(frozen=True, slots=True)
class RunLog:
    """Part of a log, split into text that is final and text that may still change."""

    part: LogPart
    finished: str
    """Text that does not change any more."""
    unfinished: str
    """The text after ``finished``, which the next refresh replaces."""
    resume_at: int
    """The offset, in bytes of the log, from which the next refresh reads."""

    @classmethod
    def of(cls, part: LogPart, *, goes_on: bool = False) -> Self:
        """Split a part of a log.

        Args:
            part: the part.
            goes_on: whether the part begins at the ``resume_at`` that a page sent. Any other
                part may begin inside a line; the incomplete line is then left out.
        """
        text = part.text
        shown_from = 0 if goes_on or not part.offset else _first_complete_line(text)
        start, resume_at = _last_line_with_exact_offset(part)
        unfinished = text[max(start, shown_from) :]
        if len(unfinished) > LONGEST_UNFINISHED:
            return cls._in_a_long_line(part, text[shown_from:start], text[shown_from:])
        return cls(part, text[shown_from:start], unfinished, resume_at)

    @classmethod
    def _in_a_long_line(cls, part: LogPart, finished: str, shown: str) -> Self:
        """Split a part whose unfinished line is too long to be read again.

        The line is split after its last carriage return, from where the text overwrites the
        line: progress displays do this often. Without a usable carriage return, all text counts
        as finished.
        """
        restart = shown.rfind("\r", len(finished), -1) + 1
        rest = shown[restart:]
        if not restart or len(rest) > LONGEST_UNFINISHED or _INEXACT.search(rest):
            return cls(part, shown, "", part.next_offset)
        return cls(part, finished, rest, part.next_offset - len(rest.encode()))


def _first_complete_line(text: str) -> int:
    """Return where the second line begins in the text; 0 if there is no second line."""
    start = text.find("\n") + 1
    return start if start < len(text) else 0


def _last_line_with_exact_offset(part: LogPart) -> tuple[int, int]:
    """Find the last line that begins at a certain byte offset.

    Returns where that line begins: in characters of the text, and in bytes of the log.
    """
    text = part.text
    start = text.rfind("\n") + 1
    if start == len(text):
        return start, part.next_offset
    inexact = _INEXACT.search(text)
    if inexact is None:
        if part.next_offset - part.offset != len(text.encode()):
            return len(text), part.next_offset  # this API does not count offsets in bytes
        return start, part.next_offset - len(text[start:].encode())
    if not _INEXACT.search(text, start):
        return start, part.next_offset - len(text[start:].encode())
    start = text.rfind("\n", 0, inexact.start()) + 1
    return start, part.offset + len(text[:start].encode())
