"""Which tests run together and when, so that no process is left alone with the longest file.

A process of the test run is given one file after the other: what a file's tests share is made
once. The scenes are one file that takes longer than all others, so they are given out in parts.
"""

import zlib
from pathlib import PurePath

import pytest
from xdist.scheduler import LoadFileScheduling

LONGEST_FIRST = (
    "tests/restart",
    "tests/scale",
    "tests/processes",
    "tests/observability/test_processes.py",
    "tests/browser/test_scenes.py",
    "tests/browser",
    "tests/exactly_once",
    "tests/embedded",
)
"""Beginnings of paths. First what waits for processes more than it works, and what shares a
browser; then all the rest, which is short."""
SPLIT = {"tests/browser/test_scenes.py::test_nothing_is_wrong": 8}
"""In how many parts the tests of a function are given out."""


class LongestFirst(LoadFileScheduling):  # type: ignore[misc] # it has no types
    """The tests of a file, or of a part of a function, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, _ = nodeid.partition("::")
        function, _, _ = nodeid.partition("[")
        if parts := SPLIT.get(function):
            return f"{function} {zlib.crc32(nodeid.encode()) % parts}"
        return file


def rank(item: pytest.Item) -> int:
    """The place of a test's file in ``LONGEST_FIRST``."""
    path = PurePath(item.nodeid.partition("::")[0])
    return next(
        (at for at, first in enumerate(LONGEST_FIRST) if path.is_relative_to(first)),
        len(LONGEST_FIRST),
    )
