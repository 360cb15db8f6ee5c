"""The log of a run: read in parts by byte offset, without splitting characters."""

from collections.abc import Callable

import pytest

from tests.embedded.conftest import Api
from workorders.embedded.models import LogChunk, Run, Status, WorkOrder

type WithLog = Callable[..., str]


@pytest.fixture
def with_log(work_order: WorkOrder, trigger: Callable[..., Run]) -> WithLog:
    """A function that stores a run whose log has these chunks, and returns the path of the log."""

    def with_log(*chunks: bytes, status: Status = Status.FAILED) -> str:
        run = trigger(work_order)
        size = 0
        for chunk in chunks:
            LogChunk.objects.create(run=run, offset=size, data=chunk)
            size += len(chunk)
        Run.objects.filter(pk=run.pk).update(log_size=size, status=status)
        return f"/runs/{run.pk}/log"

    return with_log


def read_in_pages(api: Api, log: str, limit: int) -> str:
    text: str = ""
    offset = 0
    while True:
        page = api.data(f"{log}?offset={offset}&limit={limit}")
        text += page["text"]
        assert page["complete"] or page["nextOffset"] > offset
        offset = page["nextOffset"]
        if page["complete"]:
            return text


def test_log_of_an_ended_run_is_complete(api: Api, with_log: WithLog) -> None:
    page = api.data(with_log(b"one\n", b"two\n"))
    assert page == {
        "offset": 0,
        "nextOffset": 8,
        "size": 8,
        "complete": True,
        "text": "one\ntwo\n",
    }


def test_log_of_a_run_in_progress_is_never_complete(api: Api, with_log: WithLog) -> None:
    page = api.data(with_log(b"so far", status=Status.RUNNING))
    assert (page["text"], page["complete"]) == ("so far", False)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 7, 64])
def test_pages_never_split_a_character(api: Api, with_log: WithLog, limit: int) -> None:
    content = "naïve 日本語 🚀 ── done\n" * 3
    data = content.encode()
    log = with_log(*(data[start : start + 10] for start in range(0, len(data), 10)))
    assert read_in_pages(api, log, limit) == content


@pytest.mark.parametrize("back", range(1, 9))
def test_tail_never_begins_inside_a_character(api: Api, with_log: WithLog, back: int) -> None:
    page = api.data(f"{with_log('🚀🚀'.encode())}?offset=-{back}")
    assert page["text"] == "🚀" * (back // 4)
    assert page["offset"] == 8 - back // 4 * 4


def test_tail_longer_than_the_log_is_the_log(api: Api, with_log: WithLog) -> None:
    assert api.data(f"{with_log(b'short')}?offset=-65536")["text"] == "short"


def test_incomplete_last_character_is_held_back(api: Api, with_log: WithLog) -> None:
    page = api.data(with_log("ab🚀".encode()[:4], status=Status.RUNNING))
    assert (page["text"], page["nextOffset"]) == ("ab", 2)


def test_character_that_stays_incomplete_is_replaced(api: Api, with_log: WithLog) -> None:
    page = api.data(with_log("ab🚀".encode()[:4]))
    assert (page["text"], page["complete"]) == ("ab\ufffd", True)


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_bytes_that_are_not_text_are_replaced(api: Api, with_log: WithLog, limit: int) -> None:
    log = with_log(b"a\xff\x80\x80\x80\x80b\x00\x1b[31mred")
    assert read_in_pages(api, log, limit) == "a" + "\ufffd" * 5 + "b\0\x1b[31mred"


def test_offset_beyond_the_end_gives_no_text(api: Api, with_log: WithLog) -> None:
    page = api.data(f"{with_log(b'12345')}?offset=9007199254740991")
    assert (page["offset"], page["text"], page["complete"]) == (5, "", True)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1048577", "offset=x", "offset=9223372036854775808"]
)
def test_malformed_query_is_refused(api: Api, with_log: WithLog, query: str) -> None:
    assert api.get(f"{with_log()}?{query}").status_code == 400
