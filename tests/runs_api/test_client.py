"""The runs API client against servers that misbehave."""

import gzip
import tracemalloc
from collections.abc import Iterator

import httpx
import pytest

from tests.runs_api.conftest import Call, client_for, trigger
from tests.support import runs_api as api
from tests.support.runs_api import API_KEY, RunsAPI
from workorders.error_table import CODE_OF_STATUS
from workorders.errors import InvalidResponse, NetworkError, RunsAPIError
from workorders.runs_api.client import RESPONSE_LIMIT_BYTES, RunsClient
from workorders.runs_api.clients import default_client

# --- Deadlines and sizes


@pytest.fixture
def client(runs_api: RunsAPI) -> Iterator[RunsClient]:
    """A client with long time-outs per phase: only the deadline of a call ends the call."""
    with httpx.Client(base_url=runs_api.url, timeout=30) as http:
        yield RunsClient(http, read_timeout=0.3, trigger_timeout=0.3)


SLOW = [api.silence, api.dripping_header, api.dripping_body]


@pytest.mark.parametrize("reply", SLOW)
def test_slow_read_ends_at_the_deadline(
    runs_api: RunsAPI, client: RunsClient, reply: api.Reply
) -> None:
    runs_api.on("GET", "/runs/run-1", reply)
    with pytest.raises(NetworkError):
        client.get_run("run-1")
    assert not runs_api.waited_out.is_set()


@pytest.mark.parametrize("reply", SLOW)
def test_slow_trigger_ends_at_the_deadline(
    runs_api: RunsAPI, client: RunsClient, reply: api.Reply
) -> None:
    runs_api.triggers(reply)
    with pytest.raises(NetworkError):
        trigger()(client)
    assert not runs_api.waited_out.is_set()


def test_abandoned_response_is_not_taken_for_the_next(
    runs_api: RunsAPI, client: RunsClient
) -> None:
    """The abandoned connection may still deliver the old response."""
    runs_api.on("GET", "/runs/run-1", api.silence)
    with pytest.raises(NetworkError):
        client.get_run("run-1")
    runs_api.has_run(id="run-2")
    patient = RunsClient(client._http, read_timeout=30)
    assert patient.get_run("run-2").id == "run-2"


def test_reads_within_one_budget_share_it(runs_api: RunsAPI, client: RunsClient) -> None:
    runs_api.on("GET", "/runs/run-1", api.silence)
    hurried = RunsClient(client._http, read_timeout=30).within(0.3)
    for _ in range(2):
        with pytest.raises(NetworkError):
            hurried.get_run("run-1")
    assert not runs_api.waited_out.is_set()


def test_read_after_the_budget_is_spent_still_gets_some_time(
    runs_api: RunsAPI, client: RunsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workorders.runs_api.client.MINIMUM_CALL_SECONDS", 30)  # busy machines
    runs_api.has_run()
    assert client.within(0).get_run("run-1").id == "run-1"


def test_trigger_shares_the_budget_of_the_reads(runs_api: RunsAPI, client: RunsClient) -> None:
    runs_api.triggers(api.silence)
    patient = RunsClient(client._http, trigger_timeout=30)
    with pytest.raises(NetworkError):
        trigger()(patient.within(0))
    assert not runs_api.waited_out.is_set()


def test_too_large_response_is_an_error(runs_api: RunsAPI, client: RunsClient) -> None:
    patient = RunsClient(client._http, read_timeout=30)
    runs_api.has_run(error="x" * RESPONSE_LIMIT_BYTES)
    with pytest.raises(NetworkError, match="too large"):
        patient.get_run("run-1")


def test_truncated_response_is_an_error(runs_api: RunsAPI, client: RunsClient) -> None:
    body = b'{"success": true, "data": {"id": "run-1"}}'
    reply = api.answer(200, body, Content_Length="1000", Connection="close")
    runs_api.on("GET", "/runs/run-1", reply)
    with pytest.raises(NetworkError):
        client.get_run("run-1")


def test_response_with_a_wrong_encoding_is_an_error(runs_api: RunsAPI, client: RunsClient) -> None:
    runs_api.on("GET", "/runs/run-1", api.answer(200, b"{}", Content_Encoding="gzip"))
    with pytest.raises(NetworkError):
        client.get_run("run-1")


def test_decompression_bomb_is_not_unpacked(runs_api: RunsAPI, client: RunsClient) -> None:
    patient = RunsClient(client._http, read_timeout=30)
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=9)
    runs_api.on("GET", "/runs/run-1", api.answer(200, bomb, Content_Encoding="gzip"))
    tracemalloc.start()
    try:
        with pytest.raises(NetworkError, match="too large"):
            patient.get_run("run-1")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * RESPONSE_LIMIT_BYTES


def test_compressed_response_is_read(runs_api: RunsAPI, client: RunsClient) -> None:
    body = b'{"success": true, "data": {"id": "run-1"}}'
    packed = api.answer(200, gzip.compress(body), Content_Encoding="gzip")
    runs_api.on("GET", "/runs/run-1", packed)
    assert client.get_run("run-1").id == "run-1"


# --- Responses that break the contract


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"success": "yes", "data": {}}',
        b'{"success": true}',
        b'{"success": true, "data": null}',
        b'{"success": true, "data": []}',
        b'{"success": true, "data": {}}',
        b'{"success": false}',
        b'{"success": false, "error": "words"}',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"success": true, "data": {"id": ' + b"9" * 5000 + b"}}",
    ],
)
def test_malformed_response_is_an_unknown_error(body: bytes) -> None:
    client = client_for(lambda _: httpx.Response(200, content=body))
    with pytest.raises(RunsAPIError) as caught:
        client.get_run("run-1")
    assert caught.value.code == "UNKNOWN"


def test_half_a_surrogate_pair_is_replaced() -> None:
    body = b'{"success": true, "data": {"id": "a\\ud83d", "error": "\\uD83D\\ude00"}}'
    client = client_for(lambda _: httpx.Response(200, content=body))
    run = client.get_run("a")
    assert (run.id, run.error) == ("a?", "\N{GRINNING FACE}")


@pytest.mark.parametrize("status", [400, 500])
def test_success_with_an_error_status_is_an_error(status: int) -> None:
    body = {"success": True, "data": {"id": "run-1"}}
    client = client_for(lambda _: httpx.Response(status, json=body))
    with pytest.raises(InvalidResponse):
        client.get_run("run-1")


@pytest.mark.parametrize("status", CODE_OF_STATUS)
def test_error_without_a_code_and_a_request_id_has_those_of_its_header(status: int) -> None:
    body = {"success": False, "error": {"message": "No"}}
    headers = {"X-Request-ID": "req-7"}
    client = client_for(lambda _: httpx.Response(status, json=body, headers=headers))
    with pytest.raises(RunsAPIError) as caught:
        client.get_run("run-1")
    error = caught.value
    assert (error.code, error.request_id) == (CODE_OF_STATUS[status], "req-7")
    assert error.said_by_api


def test_list_entry_without_an_id_is_an_error() -> None:
    body = {"success": True, "data": {"items": [{"taskPrompt": "?"}]}}
    client = client_for(lambda _: httpx.Response(200, json=body))
    with pytest.raises(InvalidResponse):
        client.list_work_orders()


# --- What is sent


@pytest.mark.parametrize(
    ("identifier", "segment"),
    [
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("a?b#c", "a%3Fb%23c"),
        ("two words", "two%20words"),
        ("ü", "%C3%BC"),
        ("%2F", "%252F"),
        ("a\0b\n", "a%00b%0A"),
    ],
)
def test_ids_are_quoted(runs_api: RunsAPI, identifier: str, segment: str) -> None:
    calls: list[Call] = [
        lambda client: client.get_work_order(identifier),
        lambda client: client.get_run(identifier),
        lambda client: client.queue_position(identifier),
        lambda client: client.get_log(identifier),
        trigger(identifier),
    ]
    for call in calls:
        with pytest.raises(RunsAPIError):
            call(default_client())
    assert [asked.path for asked in runs_api.asked] == [
        f"/work-orders/{segment}",
        f"/runs/{segment}",
        f"/queue/position/{segment}",
        f"/runs/{segment}/log",
        f"/work-orders/{segment}/runs",
    ]


def test_id_too_long_for_a_url_is_an_error(runs_api: RunsAPI) -> None:
    with pytest.raises(RunsAPIError):
        default_client().get_run("x" * 100_000)


def test_key_is_sent_only_in_the_header(runs_api: RunsAPI) -> None:
    runs_api.has()
    default_client().get_work_order("wo-1")
    [asked] = runs_api.asked
    carriers = [name for name, value in asked.headers.items() if API_KEY in value]
    assert carriers == ["authorization"]
    assert API_KEY not in repr((asked.path, asked.query, asked.body))


def test_key_is_not_sent_to_another_server(runs_api: RunsAPI) -> None:
    with api.serve() as other:
        reply = api.answer(302, b"", Location=f"{other.url}/api/v1/work-orders/wo-1")
        runs_api.on("GET", "/work-orders/wo-1", reply)
        with pytest.raises(InvalidResponse):
            default_client().get_work_order("wo-1")
        assert other.asked == []


def test_list_sends_only_the_given_parameters(runs_api: RunsAPI) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    default_client().list_work_orders(status="cancelled", limit=5, offset=10)
    assert runs_api.asked[0].query == {"status": "canceled", "limit": "5", "offset": "10"}


def test_log_is_read_part_by_part(runs_api: RunsAPI) -> None:
    def part(handler: api.Handler, asked: api.Asked) -> None:
        offset = int(asked.query["offset"])
        text = "abcdef"[offset : offset + 2]
        found = {"text": text, "offset": offset, "nextOffset": offset + len(text), "size": 6}
        api.data(found)(handler, asked)

    runs_api.on("GET", "/runs/run-1/log", part)
    assert list(default_client().iterate_log("run-1")) == ["ab", "cd", "ef"]


def test_log_whose_offset_does_not_advance_ends(runs_api: RunsAPI) -> None:
    stuck = {"text": "again", "offset": 0, "nextOffset": 0, "size": 100}
    runs_api.on("GET", "/runs/run-1/log", api.data(stuck))
    assert list(default_client().iterate_log("run-1")) == ["again"]
