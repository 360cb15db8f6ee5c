"""Terminal output as text lines, and a followed log that looks as it does after a reload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workorders.embedded.api.logs import decode
from workorders.runs_api.run_log import LONGEST_UNFINISHED, RunLog
from workorders.runs_api.schemas import LogPart
from workorders.text.terminal import rendered

RED = "\x1b[31mred\x1b[0m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{RED} \x1b[38;5;208;1morange\x1b[m", "red orange"),
        ("10%\r20%\r\n", "20%\n"),
        ("downloading\rdone\x1b[K\n", "done\n"),
        ("abcdef\r12\n", "12cdef\n"),
        ("typo\b\b\bhree\n", "three\n"),
        ("\b\bat the edge", "at the edge"),
        ("old\x1b[2K\rnew", "new"),
        ("abc\x1b[2DX\x1b[5GY", "aXc Y"),
        ("\x1b[999999CX", f"{' ' * 500}X"),
        ("\x1b(Bplain \x1b)0\x1b#8\x1b=\x1b>\x1b7\x1bc", "plain "),
        ("\x9b31mred\x9b0m\x85", "red"),
        ("a\x1bP1$r0m\x1b\\b\x90q#0;2;0;0;0~-\x9cc", "abc"),
        ("\x1b]0;title\x07a\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\ \x9d2;t\x9cb", "alink b"),
        ("\x1b_private\x1b\\\x1b^message\x1b\\\x1bXstring\x1b\\end", "end"),
        ("\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\end", "end"),
        ("\x1b]0;cancelled\x18shown", "shown"),
        ("\x1b]0;no end\nsecond\nthird\n", "0;no end\nsecond\nthird\n"),
        ("still written \x1b[3", "still written "),
        ("still written \x1b]0;tit", "still written "),
        ("tab\tstays", "tab\tstays"),
        ("日本\b語", "日語"),
    ],
)
def test_lines_look_as_they_do_in_a_terminal(text: str, shown: str) -> None:
    assert rendered(text) == shown


# Refreshes may cut each of these pieces at any byte.
PIECES = st.sampled_from(
    [
        *(RED.encode(), b"\x1b[K", b"\x1b[2K", b"\x1b[3C", b"\x1b[2D", b"\xc2\x9b1m", b"\x9b31m"),
        *(b"\r", b"\n", b"\r\n", b"\b", b"\t", b"\x1b", b"\x1b(B"),
        *(b"\x1b]0;title\x07", b"\x1b]0;no end", b"\x1bP1$r\x1b\\", b"\x90q\x9c"),
        *(b"a", b"10%", "é".encode(), "🚀".encode(), "日本語".encode(), "\ufffd".encode()),
        *(b"\xff", b"\x80", b"\xe2\x82", b"\xf0\x9f"),
    ]
)


def part_of(log: bytes, start: int, end: int) -> LogPart:
    """The runs API's response to a read from ``start`` while the log has ``end`` bytes."""
    text, used = decode(log[start:end], to_the_end=end == len(log))
    return LogPart(text, start, start + used, end, complete=end == len(log))


@given(pieces=st.lists(PIECES, max_size=40), cuts=st.lists(st.integers(0, 200), max_size=12))
def test_followed_log_looks_as_it_does_after_a_reload(pieces: list[bytes], cuts: list[int]) -> None:
    """Refreshes may cut the log inside a character, an escape sequence or a line end."""
    log = b"".join(pieces)
    finished, offset = "", 0
    for end in [*sorted(cut for cut in cuts if cut < len(log)), len(log)]:
        followed = RunLog.of(part_of(log, offset, end), goes_on=bool(offset))
        finished += rendered(followed.finished)
        offset = followed.resume_at
        reloaded = RunLog.of(part_of(log, 0, end))
        shown = rendered(reloaded.finished) + rendered(reloaded.unfinished)
        assert finished + rendered(followed.unfinished) == shown


def test_endless_progress_display_stays_one_line() -> None:
    bar = "".join(f"{number:6} of many |{'#' * 50}|\r" for number in range(3000))
    log = f"Downloading\n{bar}".encode()
    first = RunLog.of(part_of(log, 0, len(log) - 200))
    assert rendered(first.finished) == "Downloading\n"
    assert len(rendered(first.unfinished)) < 80
    second = RunLog.of(part_of(log, first.resume_at, len(log)), goes_on=True)
    assert second.finished == ""
    assert rendered(second.unfinished).startswith("  2999 of many")


def test_endless_line_is_continued_in_its_middle() -> None:
    log = b"x" * (LONGEST_UNFINISHED + 100)
    first = RunLog.of(part_of(log, 0, len(log) - 9))
    assert (first.unfinished, first.resume_at) == ("", len(log) - 9)
    second = RunLog.of(part_of(log, first.resume_at, len(log)), goes_on=True)
    assert first.finished + second.unfinished == log.decode()


def test_end_of_a_log_begins_with_a_complete_line() -> None:
    part = LogPart("1mcut\nwhole\nwritten", 90, 109, 109, complete=False)
    shown = RunLog.of(part)
    assert (shown.finished, shown.unfinished, shown.resume_at) == ("whole\n", "written", 102)


def test_log_of_an_api_that_counts_characters_is_followed() -> None:
    part = LogPart("héllo", 0, 5, 5, complete=False)
    assert RunLog.of(part) == RunLog(part, "héllo", "", 5)
