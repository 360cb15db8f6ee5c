"""The runs API client against recorded responses of a real server."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.runs_api.conftest import Call, client_for, trigger
from tests.support.recordings import EXCHANGES
from workorders.errors import RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import RunOverrides

RUN = "26044543-624e-424b-9806-ae059c2e337a"
FAILED_RUN = "run-M1_VScbOkk2j-1795430617725"


def recorded(name: str) -> tuple[RunsClient, dict[str, Any], list[httpx.Request]]:
    """A client that gets the recorded response, the recorded body, and the requests sent."""
    exchange = EXCHANGES[name]
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        response = exchange["response"]
        return httpx.Response(
            response["status"], headers=response["headers"], json=response["body"]
        )

    return client_for(respond), exchange["response"]["body"], requests


def create(client: RunsClient) -> Any:
    return client.create_work_order(prompt="Fix it, please", workspace="/srv/repos/login")


# --- Recorded responses


@pytest.mark.parametrize(
    ("name", "work_order_id", "status"),
    [
        ("work order detail, queued, no runs", "2Nymmlyo9iaW", "queued"),
        ("work order detail while its run builds", "2Nymmlyo9iaW", "queued"),
        ("work order detail, succeeded", "2Nymmlyo9iaW", "succeeded"),
        ("work order detail, failed", "M1_VScbOkk2j", "failed"),
        ("work order detail, canceled", "E5pBW5TLKGNs", "cancelled"),
    ],
)
def test_recorded_work_order_is_parsed(name: str, work_order_id: str, status: str) -> None:
    client, body, _ = recorded(name)
    work_order = client.get_work_order(work_order_id)
    assert (work_order.id, work_order.status) == (work_order_id, status)
    assert work_order.prompt == body["data"]["taskPrompt"]
    assert work_order.run_count == len(work_order.runs)
    assert work_order.max_iterations == body["data"]["maxIterations"]
    assert work_order.created_at is not None


def test_recorded_work_order_whose_run_builds_has_an_active_run() -> None:
    client, *_ = recorded("work order detail while its run builds")
    active = client.get_work_order("2Nymmlyo9iaW").active_run
    assert active
    assert (active.id, active.status, active.number) == (RUN, "building", 1)


@pytest.mark.parametrize(
    ("name", "workspace"),
    [
        ("create work order", "/srv/repos/login"),
        ("create work order 2", "/srv/repos/shop"),
        ("create work order, github", "acme/shop (main)"),
    ],
)
def test_recorded_creation_is_parsed(name: str, workspace: str) -> None:
    client, body, _ = recorded(name)
    work_order = create(client)
    assert (work_order.id, work_order.workspace) == (body["data"]["id"], workspace)


@pytest.mark.parametrize(
    ("name", "run_id"),
    [("trigger accepted", RUN), ("trigger, failing workspace", FAILED_RUN)],
)
def test_recorded_trigger_is_parsed(name: str, run_id: str) -> None:
    client, *_ = recorded(name)
    run = trigger()(client)
    assert (run.id, run.number, run.status) == (run_id, None, "building")


@pytest.mark.parametrize("name", ["run named by the trigger answer", "run detail while building"])
def test_recorded_run_is_parsed(name: str) -> None:
    client, *_ = recorded(name)
    run = client.get_run(RUN)
    assert (run.id, run.status, run.work_order_id) == (RUN, "building", "2Nymmlyo9iaW")
    assert run.log_size is None


def test_recorded_list_of_work_orders_is_parsed() -> None:
    client, body, _ = recorded("list work orders")
    page = client.list_work_orders(limit=3)
    assert [item.id for item in page.items] == [item["id"] for item in body["data"]["items"]]
    assert page.total == body["data"]["total"]
    assert page.has_more


def test_recorded_list_by_status_is_parsed() -> None:
    client, *_ = recorded("list work orders by status")
    assert {item.status for item in client.list_work_orders(status="failed").items} == {"failed"}


@pytest.mark.parametrize(
    ("name", "count", "total"), [("list runs of a work order", 1, 1), ("list runs", 2, 4)]
)
def test_recorded_list_of_runs_is_parsed(name: str, count: int, total: int) -> None:
    client, *_ = recorded(name)
    page = client.list_runs("2Nymmlyo9iaW")
    assert (len(page.items), page.total, page.has_more) == (count, total, total > count)


@pytest.mark.parametrize(("name", "names"), [("profiles, none", []), ("profiles", ["careful"])])
def test_recorded_profiles_are_parsed(name: str, names: list[str]) -> None:
    client, *_ = recorded(name)
    assert [profile.name for profile in client.list_profiles()] == names


def test_recorded_queue_health_is_parsed() -> None:
    client, *_ = recorded("queue health")
    health = client.queue_health()
    assert (health.waiting, health.running, health.slots) == (0, 0, 5)


def test_cancel_sends_the_recorded_request() -> None:
    client, _, requests = recorded("cancel")
    client.cancel_work_order("E5pBW5TLKGNs")
    request = EXCHANGES["cancel"]["request"]
    assert (requests[0].method, requests[0].url.path) == (request["method"], request["path"])


REFUSALS: dict[str, tuple[Call, str]] = {
    "create work order, invalid": (create, "BAD_REQUEST"),
    "trigger without key": (trigger(), "UNAUTHORIZED"),
    "trigger with wrong key": (trigger(), "UNAUTHORIZED"),
    "run detail, succeeded": (lambda client: client.get_run(RUN), "INTERNAL_ERROR"),
    "trigger refused, work order succeeded": (trigger(), "CONFLICT"),
    "trigger refused, work order canceled": (trigger(), "CONFLICT"),
    "cancel again": (lambda client: client.cancel_work_order("E5pBW5TLKGNs"), "CONFLICT"),
    "list work orders, bad query": (lambda client: client.list_work_orders(), "BAD_REQUEST"),
    "work order not found": (lambda client: client.get_work_order("does-not-exist"), "NOT_FOUND"),
    "trigger, work order not found": (trigger(), "NOT_FOUND"),
    "run not found": (lambda client: client.get_run("does-not-exist"), "NOT_FOUND"),
    "queue position, not queued": (lambda client: client.queue_position("x"), "NOT_FOUND"),
    "trigger, malformed body": (trigger(), "BAD_REQUEST"),
    "unknown route": (lambda client: client.get_run("nope"), "NOT_FOUND"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_recorded_refusal_is_parsed(name: str) -> None:
    call, code = REFUSALS[name]
    client, body, _ = recorded(name)
    with pytest.raises(RunsAPIError) as caught:
        call(client)
    assert (caught.value.code, caught.value.message) == (code, body["error"]["message"])
    assert caught.value.request_id == body["requestId"]
    assert caught.value.details == body["error"].get("details", {})


def test_recorded_health_gives_the_version() -> None:
    client, *_ = recorded("health")
    assert client.version() == "0.2.14"


UNUSED = {  # endpoints that the dashboard does not call
    "create profile",
    "live",
    "profile detail",
    "ready",
    "run config",
}


@pytest.mark.parametrize("name", sorted(UNUSED))
def test_recorded_response_without_a_run_is_an_error(name: str) -> None:
    client, *_ = recorded(name)
    with pytest.raises(RunsAPIError):
        client.get_run(RUN) if name == "run config" else trigger()(client)


def test_every_recorded_exchange_is_played_back() -> None:
    source = Path(__file__).read_text()
    missing = [name for name in EXCHANGES if f'"{name}"' not in source]
    assert missing == []


def test_trigger_sends_the_recorded_request() -> None:
    client, _, requests = recorded("trigger accepted")
    client.trigger_run("2Nymmlyo9iaW", RunOverrides(max_iterations=3), idempotency_key="k")
    exchange = EXCHANGES["trigger accepted"]
    assert (requests[0].method, requests[0].url.path) == ("POST", exchange["request"]["path"])
    assert json.loads(requests[0].content) == exchange["request"]["body"]
