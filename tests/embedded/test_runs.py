"""Runs in the API: lists, queue positions, cancellation, and runs of dead workers."""

from typing import Any

import pytest
from django.db import connection

from tests.embedded.conftest import Api, Make, MakeRun
from workorders.embedded import reaping
from workorders.embedded.models import Iteration, Run, Status, WorkOrder
from workorders.embedded.transitions import WORKER_LOST, claim_next, finish

LONG_AGO = "2020-01-01T00:00Z"


@pytest.fixture
def reaper_may_end_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reaper that ends expired runs at once; test_reaping shows what it waits for otherwise."""
    monkeypatch.setattr(reaping.Reaper, "_may_end_runs", lambda _, expired: bool(expired))
    monkeypatch.setattr(reaping, "beat_seconds", lambda: 0)


def claim(token: str = "w") -> Run:
    run = claim_next(token)
    assert run
    return run


def test_list_is_newest_first(api: Api, make_work_order: Make, trigger: MakeRun) -> None:
    ids = [trigger(make_work_order()).pk for _ in range(3)]
    assert [run["id"] for run in api.data("/runs?limit=2")["items"]] == [ids[2], ids[1]]


def test_list_can_be_filtered_by_work_order_and_status(
    api: Api, make_work_order: Make, trigger: MakeRun
) -> None:
    work_order = make_work_order()
    trigger(make_work_order())
    canceled = trigger(work_order)
    trigger(work_order)
    api.post(f"/runs/{canceled.pk}/cancel")
    page = api.data(f"/runs?workOrderId={work_order.pk}&status=cancelled")
    assert [run["id"] for run in page["items"]] == [canceled.pk]


@pytest.mark.parametrize("query", ["workOrderId=a%00b", "status=nope", "limit=-1"])
def test_list_refuses_a_malformed_query(api: Api, query: str) -> None:
    assert api.get(f"/runs?{query}").status_code == 400


def test_runs_have_their_queue_position(api: Api, make_work_order: Make, trigger: MakeRun) -> None:
    runs = [trigger(make_work_order()) for _ in range(3)]
    claim()
    places = [api.data(f"/runs/{run.pk}")["queuePosition"] for run in runs]
    assert places == [None, 1, 2]
    assert [run["queuePosition"] for run in api.data("/runs")["items"]] == [2, 1, None]


def test_queued_run_names_the_run_it_waits_for(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    first, second = trigger(work_order), trigger(work_order)
    assert api.data(f"/runs/{second.pk}")["waitingFor"] is None
    claim()
    waiting_for = api.data(f"/runs/{second.pk}")["waitingFor"]
    assert waiting_for == {"runId": first.pk, "runNumber": 1}


def test_runs_of_one_work_order_never_overlap(work_order: WorkOrder, trigger: MakeRun) -> None:
    trigger(work_order)
    trigger(work_order)
    first = claim()
    assert claim_next("v") is None
    finish(first, "w", Status.FAILED)
    assert claim("v").number == 2


def test_oldest_run_is_claimed_first(db: None, make_work_order: Make, trigger: MakeRun) -> None:
    runs = [trigger(make_work_order()) for _ in range(3)]
    assert [claim().pk for _ in runs] == [run.pk for run in runs]


def test_iterations_are_shown(api: Api, work_order: WorkOrder, trigger: MakeRun) -> None:
    run = trigger(work_order)
    Iteration.objects.create(run=run, number=2, agent_exit_code=1, status="failed")
    Iteration.objects.create(
        run=run, number=1, agent_exit_code=0, verify_exit_code=1, verify_output="1 failed"
    )
    first, second = api.data(f"/runs/{run.pk}")["iterations"]
    assert first["verification"] == {"passed": False, "exitCode": 1, "output": "1 failed"}
    assert (second["number"], second["agentExitCode"], second["verification"]) == (2, 1, None)


def test_success_ends_the_work_order_and_its_queued_runs(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    trigger(work_order)
    waiting = trigger(work_order)
    finish(claim(), "w", Status.SUCCEEDED)
    assert api.data(f"/work-orders/{work_order.pk}")["status"] == "succeeded"
    run = api.data(f"/runs/{waiting.pk}")
    assert run["status"] == "canceled"
    assert run["error"] == "Not started: Run #1 had already succeeded."


def test_queued_run_can_be_canceled(api: Api, work_order: WorkOrder, trigger: MakeRun) -> None:
    run = trigger(work_order)
    response = api.post(f"/runs/{run.pk}/cancel")
    assert response.status_code == 202
    assert response.json()["data"]["status"] == "canceled"
    assert api.data(f"/work-orders/{work_order.pk}")["status"] == "queued"
    assert claim_next("w") is None


def test_cancel_requests_an_active_run_to_stop(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    run = trigger(work_order)
    claim()
    response = api.post(f"/runs/{run.pk}/cancel")
    assert (response.status_code, response.json()["data"]["status"]) == (202, "building")
    run.refresh_from_db()
    assert run.cancel_requested


def test_cancel_of_an_ended_run_is_refused(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    run = trigger(work_order)
    finish(claim(), "w", Status.FAILED)
    response = api.post(f"/runs/{run.pk}/cancel")
    assert response.status_code == 409
    assert response.json()["error"]["message"] == "Cannot cancel run in status 'failed'"


def test_canceled_run_restores_the_status_of_its_work_order(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    trigger(work_order)
    finish(claim(), "w", Status.FAILED)
    trigger(work_order)
    finish(claim(), "w", Status.CANCELED)
    assert api.data(f"/work-orders/{work_order.pk}")["status"] == "failed"


@pytest.mark.usefixtures("reaper_may_end_runs")
@pytest.mark.parametrize(
    "path",
    [
        "/runs",
        "/runs/{run}",
        "/runs/{run}/log",
        "/work-orders",
        "/work-orders/{wo}",
        "/queue/health",
    ],
)
def test_any_read_ends_the_run_of_a_dead_worker(
    api: Api, work_order: WorkOrder, trigger: MakeRun, path: str
) -> None:
    run = trigger(work_order)
    claim()
    Iteration.objects.create(run=run, number=1)
    Run.objects.update(lease_until=LONG_AGO)
    api.data(path.format(run=run.pk, wo=work_order.pk))
    run.refresh_from_db()
    work_order.refresh_from_db()
    assert (run.status, run.error, work_order.status) == ("failed", WORKER_LOST, "failed")
    assert run.iterations.get().status == Iteration.Status.FAILED


@pytest.mark.usefixtures("reaper_may_end_runs")
def test_run_of_a_dead_worker_does_not_block_the_next_run(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    trigger(work_order)
    claim()
    Run.objects.update(lease_until=LONG_AGO)
    response = api.post(f"/work-orders/{work_order.pk}/runs")
    assert response.json()["error"]["details"]["runNumber"] == 2


@pytest.mark.usefixtures("reaper_may_end_runs")
def test_worker_without_its_lease_cannot_end_the_run(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    trigger(work_order)
    run = claim()
    Run.objects.update(lease_until=LONG_AGO)
    api.data("/runs")
    assert not finish(run, "w", Status.SUCCEEDED)
    assert finish(run, "w", Status.FAILED, WORKER_LOST), "a repetition is told the same"
    assert api.data(f"/runs/{run.pk}")["status"] == "failed"


def test_run_claimed_while_it_is_read_does_not_wait_for_itself(
    api: Api, make_work_order: Make, trigger: MakeRun
) -> None:
    run = trigger(make_work_order())
    claimed: list[Run] = []

    def claim_before_the_iterations_are_read(execute: Any, sql: str, *rest: Any) -> Any:
        if "embedded_iteration" in sql and not claimed:
            claimed.append(claim())
        return execute(sql, *rest)

    with connection.execute_wrapper(claim_before_the_iterations_are_read):
        detail = api.data(f"/runs/{run.pk}")
    assert (detail["status"], detail["waitingFor"], detail["queuePosition"]) == (
        "building",
        None,
        None,
    )
