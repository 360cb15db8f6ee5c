"""Triggering a run: accepted, queued or refused, and the overrides of a run."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.embedded.conftest import Api, Make, MakeRun
from workorders.embedded.models import Run, Status, Worker, WorkOrder
from workorders.embedded.transitions import claim_next, finish


def runs(work_order: WorkOrder) -> str:
    return f"/work-orders/{work_order.pk}/runs"


def test_run_is_accepted_when_a_worker_is_free(
    api: Api, work_order: WorkOrder, free_worker: Worker
) -> None:
    response = api.post(runs(work_order))
    run = Run.objects.get()
    assert response.status_code == 201
    assert response.json()["data"] == {
        "runId": run.pk,
        "runNumber": 1,
        "status": "queued",
        "startedAt": None,
        "workOrderId": work_order.pk,
    }


def test_run_is_queued_without_a_free_worker(
    api: Api, work_order: WorkOrder, make_work_order: Make, trigger: MakeRun, free_worker: Worker
) -> None:
    trigger(make_work_order())
    claim_next(free_worker.token)
    response = api.post(runs(work_order))
    run = work_order.runs.get()
    assert response.status_code == 202
    assert response.json()["success"] is False
    assert response.json()["error"]["code"] == "CAPACITY_EXCEEDED"
    assert response.json()["error"]["details"] == {
        "runId": run.pk,
        "runNumber": 1,
        "status": "queued",
        "queuePosition": 1,
    }


def test_queued_runs_occupy_free_workers(
    api: Api, make_work_order: Make, trigger: MakeRun, free_worker: Worker
) -> None:
    trigger(make_work_order())
    response = api.post(runs(make_work_order()))
    assert response.status_code == 202
    assert response.json()["error"]["details"]["queuePosition"] == 2


def test_dead_worker_does_not_count_as_free(
    api: Api, work_order: WorkOrder, free_worker: Worker
) -> None:
    Worker.objects.update(seen_at="2020-01-01T00:00Z")
    assert api.post(runs(work_order)).status_code == 202


@pytest.mark.parametrize("body", [b"", b" ", b"{}", b'{"profileOverrides": {}}'])
def test_run_without_overrides_uses_the_default_profile(
    api: Api, work_order: WorkOrder, body: bytes
) -> None:
    assert api.http.post(runs(work_order), content=body).status_code == 202
    run = Run.objects.get()
    assert (run.profile_name, run.max_iterations, run.max_time) == ("default", 3, 3600)


def test_overrides_apply_to_one_run_only(api: Api, work_order: WorkOrder) -> None:
    body = {"profileOverrides": {"loopStrategy": {"maxIterations": 5}}, "profileName": "careful"}
    run_id = api.post(runs(work_order), body).json()["error"]["details"]["runId"]
    run = api.data(f"/runs/{run_id}")
    assert (run["profileName"], run["maxIterations"], run["maxTime"]) == ("careful", 5, 600)
    assert run["overrides"] == body
    api.post(runs(work_order))
    assert api.data(f"/work-orders/{work_order.pk}")["maxIterations"] == 3
    assert Run.objects.get(number=2).max_iterations == 3


def test_limits_of_the_work_order_precede_those_of_the_profile(
    api: Api, make_work_order: Make
) -> None:
    work_order = make_work_order(max_iterations=4, max_time=50)
    api.post(runs(work_order), {"profileName": "careful"})
    run = Run.objects.get()
    assert (run.max_iterations, run.max_time) == (4, 50)
    api.post(runs(work_order), {"profileOverrides": {"loopStrategy": {"maxIterations": 9}}})
    assert Run.objects.get(number=2).max_iterations == 9


def test_trigger_updates_the_work_order(api: Api, work_order: WorkOrder) -> None:
    WorkOrder.objects.update(updated_at="2020-01-01T00:00Z")
    api.post(runs(work_order))
    assert not api.data(f"/work-orders/{work_order.pk}")["updatedAt"].startswith("2020")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"profileName": "nobody"}, ["profileName"]),
        ({"profileName": 5}, ["profileName"]),
        ({"profileName": None}, ["profileName"]),
        ({"profileOverrides": []}, ["profileOverrides"]),
        ({"profileOverrides": {"loopStrategy": 1}}, ["profileOverrides", "loopStrategy"]),
        *(
            (
                {"profileOverrides": {"loopStrategy": {"maxIterations": value}}},
                ["profileOverrides", "loopStrategy", "maxIterations"],
            )
            for value in (0, 101, -1, 1.5, "5", True, None, 10**30)
        ),
        ({"agent": "sh"}, []),
        ({"profileOverrides": {"agent": "sh"}}, ["profileOverrides"]),
        (
            {"profileOverrides": {"loopStrategy": {"verify": "true"}}},
            ["profileOverrides", "loopStrategy"],
        ),
    ],
)
def test_malformed_overrides_are_named_and_start_nothing(
    api: Api, work_order: WorkOrder, body: Any, path: list[str]
) -> None:
    response = api.post(runs(work_order), body)
    assert response.status_code == 400
    assert [fault["path"] for fault in response.json()["error"]["details"]["errors"]] == [path]
    assert not Run.objects.exists()


@pytest.mark.parametrize("status", [Status.BUILDING, Status.RUNNING])
def test_trigger_is_refused_while_a_run_is_active(
    api: Api, work_order: WorkOrder, trigger: MakeRun, status: Status
) -> None:
    trigger(work_order)
    claim_next("w")
    Run.objects.update(status=status)
    active = api.data("/runs")["items"][0]
    response = api.post(runs(work_order))
    assert response.status_code == 409
    assert response.json()["error"] == {
        "code": "RUN_ALREADY_ACTIVE",
        "message": "Work order already has an active run",
        "details": {
            "runId": active["id"],
            "runNumber": 1,
            "status": status,
            "startedAt": active["startedAt"],
        },
    }
    assert Run.objects.count() == 1


def test_queued_run_does_not_block_another(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    trigger(work_order)
    response = api.post(runs(work_order))
    assert response.json()["error"]["details"]["runNumber"] == 2


def test_trigger_is_refused_for_a_succeeded_work_order(api: Api, make_work_order: Make) -> None:
    response = api.post(runs(make_work_order(status=Status.SUCCEEDED)))
    assert response.status_code == 403
    assert response.json()["error"] == {
        "code": "WORK_ORDER_COMPLETE",
        "message": "Cannot trigger run for completed work order",
    }


def test_trigger_is_refused_for_a_canceled_work_order(api: Api, make_work_order: Make) -> None:
    response = api.post(runs(make_work_order(status=Status.CANCELED)))
    assert response.status_code == 409
    assert response.json()["error"]["code"] == "CONFLICT"


def test_unknown_work_order_is_not_found(api: Api) -> None:
    response = api.post("/work-orders/does-not-exist/runs")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "Work order not found: does-not-exist"


@pytest.mark.parametrize("identifier", ["x" * 65, "a%00b", "a b", "ü"])
def test_impossible_work_order_id_is_not_found(api: Api, identifier: str) -> None:
    assert api.post(f"/work-orders/{identifier}/runs").status_code == 404


def test_trigger_reads_the_work_order_once(api: Api, work_order: WorkOrder) -> None:
    with CaptureQueriesContext(connection) as queries:
        api.post(runs(work_order))
    read = f'FROM "{WorkOrder._meta.db_table}"'
    assert len([query for query in queries if read in query["sql"]]) == 1


def test_removed_profile_is_named(api: Api, make_work_order: Make) -> None:
    response = api.post(runs(make_work_order(profile_name="gone")))
    assert response.status_code == 400
    assert response.json()["error"]["details"]["errors"][0]["path"] == ["profileName"]


def test_failed_work_order_stays_failed_until_the_run_starts(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    trigger(work_order)
    run = claim_next("w")
    assert run
    finish(run, "w", Status.FAILED, "It failed.")
    trigger(work_order)
    assert api.data(f"/work-orders/{work_order.pk}")["status"] == "failed"
    claim_next("w")
    assert api.data(f"/work-orders/{work_order.pk}")["status"] == "running"
