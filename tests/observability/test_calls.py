"""The metric of calls to the runs API: counted by endpoint and outcome, never by ID."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.support import runs_api as api
from tests.support.runs_api import RunsAPI
from tests.support.scraped import Meter
from workorders.errors import RunsAPIError
from workorders.observability.metrics import ENDPOINTS
from workorders.runs_api.client import RunsClient
from workorders.runs_api.clients import default_client
from workorders.runs_api.schemas import RunOverrides

CALLS = "api_call_duration_seconds_count"
ID = "id/of one?"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (api.data({"id": "run-1"}), "ok"),
        (api.refusal(404, "NOT_FOUND"), "NOT_FOUND"),
        (api.refusal(409, "CONFLICT"), "CONFLICT"),
        (api.refusal(400, "A_WORD_OF_ITS_OWN"), "UNKNOWN"),
        (api.refusal(500, "A_WORD_OF_ITS_OWN"), "SERVER_ERROR"),
        (api.answer(200, b"<html>", "text/html"), "UNKNOWN"),
        (api.reset, "no_answer"),
    ],
)
def test_call_is_counted_by_its_outcome(
    runs_api: RunsAPI, meter: Meter, reply: api.Reply, outcome: str
) -> None:
    runs_api.on("GET", "/runs/run-1", reply)
    with suppress(RunsAPIError):
        default_client().get_run("run-1")
    labels = {"method": "GET", "endpoint": "/runs/{id}", "outcome": outcome}
    # Each scrape calls the runs API too, at other endpoints.
    assert meter.gained(CALLS, **labels) == 1
    assert meter.gained("api_call_duration_seconds_sum", **labels) > 0
    assert meter.gained(CALLS, endpoint="/runs/{id}") == 1


EVERY_CALL: dict[str, Callable[[RunsClient], object]] = {
    "GET /health": RunsClient.version,
    "GET /profiles": RunsClient.list_profiles,
    "GET /queue/health": RunsClient.queue_health,
    "GET /queue/position/{id}": lambda c: c.queue_position(ID),
    "GET /runs": lambda c: c.list_runs(ID),
    "GET /runs/{id}": lambda c: c.get_run(ID),
    "GET /runs/{id}/log": lambda c: c.get_log(ID),
    "POST /runs/{id}/cancel": lambda c: c.cancel_run(ID),
    "GET /work-orders": lambda c: c.list_work_orders(search=ID),
    "POST /work-orders": lambda c: c.create_work_order(prompt="", workspace=""),
    "GET /work-orders/{id}": lambda c: c.get_work_order(ID),
    "DELETE /work-orders/{id}": lambda c: c.cancel_work_order(ID),
    "POST /work-orders/{id}/runs": lambda c: c.trigger_run(ID, RunOverrides(), idempotency_key=""),
}


@pytest.mark.parametrize("call", EVERY_CALL)
def test_call_is_counted_by_its_endpoint(runs_api: RunsAPI, meter: Meter, call: str) -> None:
    with suppress(RunsAPIError):
        EVERY_CALL[call](default_client())
    method, endpoint = call.split()
    least = 2 if call == "GET /queue/health" else 1  # the scrape calls this endpoint too
    assert meter.gained(CALLS, method=method, endpoint=endpoint) >= least


def test_every_endpoint_has_a_call_in_the_table() -> None:
    assert {call.split()[1] for call in EVERY_CALL} == ENDPOINTS


def test_every_method_of_the_client_is_in_the_table() -> None:
    """The calls of a new method are counted as ``other`` until ``ENDPOINTS`` has its endpoint."""
    own = {"within", "with_half_the_time", "iterate_log"}
    public = {name for name, value in vars(RunsClient).items() if callable(value)} - own
    assert len([name for name in public if not name.startswith("_")]) == len(EVERY_CALL)
