"""The responses have the members and status codes of the recorded responses.

The specification demands two differences: an accepted trigger has status 201 and ``runNumber``,
and the refusals of a trigger have specific codes.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.embedded.conftest import Api
from tests.support.recordings import EXCHANGES
from workorders.embedded.models import Run, Status, Worker, WorkOrder
from workorders.embedded.transitions import claim_next, finish

NOT_OURS = {
    "agentType",  # this API has profiles instead
    "repo",  # workspaces are local here
    "branch",
    "inclusive",
    "exact",
}

CASES = [
    ("create work order", "POST", "/work-orders"),
    ("create work order, invalid", "POST", "/work-orders"),
    ("work order detail, queued, no runs", "GET", "/work-orders/{new}"),
    ("trigger without key", "POST", "/work-orders/{new}/runs"),
    ("trigger with wrong key", "POST", "/work-orders/{new}/runs"),
    ("run named by the trigger answer", "GET", "/runs/{run}"),
    ("work order detail while its run builds", "GET", "/work-orders/{building}"),
    ("run detail while building", "GET", "/runs/{run}"),
    ("work order detail, succeeded", "GET", "/work-orders/{succeeded}"),
    ("work order detail, failed", "GET", "/work-orders/{failed}"),
    ("cancel", "DELETE", "/work-orders/{new}"),
    ("cancel again", "DELETE", "/work-orders/{canceled}"),
    ("work order detail, canceled", "GET", "/work-orders/{canceled}"),
    ("trigger refused, work order canceled", "POST", "/work-orders/{canceled}/runs"),
    ("list work orders", "GET", "/work-orders?limit=3&offset=0"),
    ("list work orders by status", "GET", "/work-orders?status=failed&limit=2"),
    ("list work orders, bad query", "GET", "/work-orders?limit=0&status=nope"),
    ("list runs of a work order", "GET", "/runs?workOrderId={succeeded}"),
    ("list runs", "GET", "/runs?limit=2"),
    ("work order not found", "GET", "/work-orders/does-not-exist"),
    ("trigger, work order not found", "POST", "/work-orders/does-not-exist/runs"),
    ("run not found", "GET", "/runs/does-not-exist"),
    ("profiles", "GET", "/profiles"),
    ("queue health", "GET", "/queue/health"),
    ("queue position, not queued", "GET", "/queue/position/{new}"),
    ("live", "GET", "/health/live"),
    ("ready", "GET", "/health/ready"),
    ("trigger, malformed body", "POST", "/work-orders/{new}/runs"),
    ("unknown route", "GET", "/nope"),
]


@pytest.fixture
def stored(
    make_work_order: Callable[..., WorkOrder], trigger: Callable[..., Run], free_worker: Worker
) -> dict[str, str]:
    """IDs of one work order of every recorded kind, and the ID of the building one's run."""
    orders = {
        name: make_work_order() for name in ("succeeded", "failed", "building", "new", "canceled")
    }
    for name, status in (("succeeded", Status.SUCCEEDED), ("failed", Status.FAILED)):
        trigger(orders[name])
        run = claim_next("w")
        assert run
        finish(run, "w", status)
    run = trigger(orders["building"])
    claim_next("w")
    WorkOrder.objects.filter(pk=orders["canceled"].pk).update(status=Status.CANCELED)
    return {name: order.pk for name, order in orders.items()} | {"run": run.pk}


def missing(recorded: Any, ours: Any, path: str = "") -> Iterator[str]:
    """The paths of recorded members that our response lacks or has with another type."""
    if isinstance(recorded, dict) and isinstance(ours, dict):
        for name in recorded.keys() - NOT_OURS:
            if name in ours:
                yield from missing(recorded[name], ours[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(recorded, list) and isinstance(ours, list):
        for theirs, mine in zip(recorded, ours, strict=False):
            yield from missing(theirs, mine, f"{path}[]")
    elif None not in (recorded, ours) and _kind(recorded) is not _kind(ours):
        yield f"{path}: {type(ours).__name__}"


def _kind(value: Any) -> type:
    return float if type(value) is int else type(value)


@pytest.mark.parametrize(("name", "method", "path"), CASES, ids=[case[0] for case in CASES])
def test_response_has_the_recorded_members(
    api: Api, stored: dict[str, str], name: str, method: str, path: str
) -> None:
    recorded = EXCHANGES[name]
    headers = {}
    content = json.dumps(recorded["request"]["body"]) if recorded["request"]["body"] else ""
    if name == "trigger with wrong key":
        headers["Authorization"] = "Bearer wrong"
    if name == "trigger without key":
        del api.http.headers["Authorization"]
    if name == "trigger, malformed body":
        content = "{"
    response = api.http.request(method, path.format(**stored), content=content, headers=headers)
    assert response.status_code == recorded["response"]["status"], response.text
    assert sorted(missing(recorded["response"]["body"], response.json())) == []


@pytest.mark.parametrize(
    "name",
    [
        "trigger without key",
        "trigger with wrong key",
        "work order not found",
        "trigger, work order not found",
        "run not found",
        "unknown route",
        "trigger, malformed body",
        "cancel again",
        "trigger refused, work order canceled",
    ],
)
def test_refusal_has_the_recorded_words(api: Api, stored: dict[str, str], name: str) -> None:
    method, path = next(case[1:] for case in CASES if case[0] == name)
    recorded = EXCHANGES[name]["response"]["body"]["error"]
    headers = {}
    if name == "trigger with wrong key":
        headers["Authorization"] = "Bearer wrong"
    if name == "trigger without key":
        del api.http.headers["Authorization"]
    content = "{" if name == "trigger, malformed body" else ""
    response = api.http.request(method, path.format(**stored), content=content, headers=headers)
    assert response.json()["error"] == recorded
