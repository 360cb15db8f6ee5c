"""Few calls stand in line for a runs API that may hang: somebody has to answer the rest."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore, Event

import httpx
import pytest

from tests import runs_api as api
from tests.product import wait_until
from tests.runs_api import Asked, Handler, RunsAPI, serve
from workorders import runs_client
from workorders.contract import Run
from workorders.errors import NetworkError
from workorders.runs_client import RunsClient

type OneCall = tuple[RunsClient, Future[Run], Event]

FOR_EVER = 600
"""Longer than any test may take: what waits for it is seen to hang."""


@pytest.fixture
def server() -> Iterator[RunsAPI]:
    with serve() as server:
        yield server


@pytest.fixture
def one_call(server: RunsAPI) -> Iterator[OneCall]:
    """A client with a single place, the call that has taken it, and what ends that call."""
    arrived, goes_on = Event(), Event()

    def wait(handler: Handler, asked: Asked) -> None:
        arrived.set()
        goes_on.wait(FOR_EVER)
        api.data({"id": "run-1"})(handler, asked)

    server.on("GET", "/runs/run-1", wait)
    server.has()
    limits = httpx.Limits(max_connections=1)
    with (
        httpx.Client(base_url=server.url, limits=limits, timeout=FOR_EVER) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        client = RunsClient(http, read_timeout=FOR_EVER)
        taken = pool.submit(client.get_run, "run-1")
        arrived.wait(FOR_EVER)
        yield client, taken, goes_on
        goes_on.set()


@pytest.fixture
def in_line(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def has(places: int) -> None:
        monkeypatch.setattr(runs_client, "PLACE_SECONDS", FOR_EVER)
        monkeypatch.setattr(runs_client, "_places_in_line", BoundedSemaphore(places))

    return has


def test_call_waits_in_line_for_a_place(one_call: OneCall, in_line: Callable[[int], None]) -> None:
    in_line(1)
    client, _, goes_on = one_call
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get_work_order, "wo-1")
        wait_until(lambda: runs_client._places_in_line._value == 0)
        goes_on.set()
        assert waiting.result().id == "wo-1"


def test_call_that_finds_the_line_full_is_not_sent(
    one_call: OneCall,
    in_line: Callable[[int], None],
    server: RunsAPI,
) -> None:
    in_line(0)
    client, taken, _ = one_call
    with pytest.raises(NetworkError) as caught:
        client.get_work_order("wo-1")
    assert not caught.value.sent
    assert not taken.done()
    assert len(server.asked) == 1


def test_nobody_stands_in_line_for_an_api_that_has_failed(
    one_call: OneCall, in_line: Callable[[int], None]
) -> None:
    in_line(1)
    client, taken, _ = one_call
    client.record.failed("it did not answer in time")
    with pytest.raises(NetworkError):
        client.get_work_order("wo-1")
    assert not taken.done()
