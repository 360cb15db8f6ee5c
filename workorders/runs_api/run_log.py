"""Where a refresh of an open page goes on in a run's log.

A line is shown as it looks in the end, so one that is still written is shown again with each
refresh: the page replaces its last, unfinished line, and asks from the beginning of that. What
the server must know for it is one byte offset, which the page brings.
"""

import re
from dataclasses import dataclass
from typing import Self

from workorders.runs_api.schemas import LogPart

LONGEST_UNFINISHED = 65_536
"""Characters that are read again; a longer line is gone on with in the middle."""

_INEXACT = re.compile(r"[\x80-\x9f\ufffd]")
"""What may have taken another number of bytes in the log than it takes in UTF-8: characters
that stand for bytes which were none."""


@dataclass(frozen=True, slots=True)
class RunLog:
    """Part of a log, cut where nothing changes any more.

    ``finished`` are lines, ``unfinished`` is what ``resume_at`` brings again, in bytes.
    """

    part: LogPart
    finished: str
    unfinished: str
    resume_at: int

    @classmethod
    def of(cls, part: LogPart, *, goes_on: bool = False) -> Self:
        """``goes_on``: the part begins where a page said, else perhaps inside a line."""
        text = part.text
        shown_from = 0 if goes_on or not part.offset else _first_whole_line(text)
        start, resume_at = _last_safe_place(part)
        unfinished = text[max(start, shown_from) :]
        if len(unfinished) > LONGEST_UNFINISHED:
            return cls._in_a_long_line(part, text[shown_from:start], text[shown_from:])
        return cls(part, text[shown_from:start], unfinished, resume_at)

    @classmethod
    def _in_a_long_line(cls, part: LogPart, finished: str, shown: str) -> Self:
        """From a carriage return on, a line is as good as new: a progress display has many."""
        restart = shown.rfind("\r", len(finished), -1) + 1
        rest = shown[restart:]
        if not restart or len(rest) > LONGEST_UNFINISHED or _INEXACT.search(rest):
            return cls(part, shown, "", part.next_offset)
        return cls(part, finished, rest, part.next_offset - len(rest.encode()))


def _first_whole_line(text: str) -> int:
    start = text.find("\n") + 1
    return start if start < len(text) else 0


def _last_safe_place(part: LogPart) -> tuple[int, int]:
    """The last beginning of a line whose byte offset is certain: in the text, and in the log."""
    text = part.text
    start = text.rfind("\n") + 1
    if start == len(text):
        return start, part.next_offset
    inexact = _INEXACT.search(text)
    if inexact is None:
        if part.next_offset - part.offset != len(text.encode()):
            return len(text), part.next_offset  # this API counts something else than bytes
        return start, part.next_offset - len(text[start:].encode())
    if not _INEXACT.search(text, start):
        return start, part.next_offset - len(text[start:].encode())
    start = text.rfind("\n", 0, inexact.start()) + 1
    return start, part.offset + len(text[:start].encode())
