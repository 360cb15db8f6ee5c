"""The queue: its health, the positions in it, and hosts whose clocks differ."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.embedded.conftest import Api, Make, MakeRun
from workorders.embedded.api.serializers import run_items
from workorders.embedded.models import Run, Worker, WorkOrder
from workorders.embedded.transitions import claim_next


def test_queue_is_unhealthy_without_workers(api: Api) -> None:
    health = api.data("/queue/health")
    assert health["status"] == "unhealthy"
    assert health["stats"]["maxConcurrent"] == 0
    assert health["indicators"]["accepting"] is True
    assert health["indicators"]["canStartImmediately"] is False


def test_idle_worker_can_start_a_run(api: Api, free_worker: Worker) -> None:
    health = api.data("/queue/health")
    assert health["status"] == "healthy"
    assert health["stats"]["maxConcurrent"] == 1
    assert health["indicators"]["canStartImmediately"] is True


def test_busy_worker_cannot_start_a_run(
    api: Api, make_work_order: Make, trigger: MakeRun, free_worker: Worker
) -> None:
    trigger(make_work_order())
    trigger(make_work_order())
    claim_next(free_worker.token)
    health = api.data("/queue/health")
    assert (health["stats"]["running"], health["stats"]["waiting"]) == (1, 1)
    assert health["utilization"] == 1
    assert health["indicators"] == {
        "accepting": True,
        "canStartImmediately": False,
        "queueDepth": 1,
        "runningCount": 1,
    }


def test_average_wait_is_reported(api: Api, work_order: WorkOrder, trigger: MakeRun) -> None:
    run = trigger(work_order)
    claim_next("w")
    Run.objects.filter(pk=run.pk).update(
        queued_at="2026-01-02T10:00:00Z", started_at="2026-01-02T10:00:01.500Z"
    )
    assert api.data("/queue/health")["stats"]["averageWaitMs"] == 1500


def test_position_is_that_of_the_oldest_queued_run(
    api: Api, make_work_order: Make, trigger: MakeRun
) -> None:
    trigger(make_work_order())
    work_order = make_work_order()
    run = trigger(work_order)
    trigger(work_order)
    assert api.data(f"/queue/position/{work_order.pk}") == {
        "workOrderId": work_order.pk,
        "runId": run.pk,
        "runNumber": 1,
        "position": 2,
        "ahead": 1,
    }


def test_position_is_not_found_when_nothing_is_queued(api: Api, work_order: WorkOrder) -> None:
    response = api.get(f"/queue/position/{work_order.pk}")
    assert response.status_code == 404
    message = f"Work order not found in queue: {work_order.pk}"
    assert response.json()["error"]["message"] == message


def test_run_of_a_host_whose_clock_is_behind_is_queued_last(
    api: Api, make_work_order: Make, trigger: MakeRun
) -> None:
    first = trigger(make_work_order())
    Run.objects.filter(pk=first.pk).update(queued_at=timezone.now() + timedelta(minutes=5))
    second = trigger(make_work_order())
    assert second.answered_position == 2
    assert list(Run.objects.queued()) == [first, second]


def test_run_claimed_while_a_list_is_read_has_no_position(
    db: None, make_work_order: Make, trigger: MakeRun
) -> None:
    first, second = trigger(make_work_order()), trigger(make_work_order())
    claim_next("w")
    shown = [(item["status"], item["queuePosition"]) for item in run_items([second, first])]
    assert shown == [("queued", 1), ("building", None)]


def test_host_whose_clock_is_ahead_ends_no_run(
    api: Api,
    work_order: WorkOrder,
    trigger: MakeRun,
    free_worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = trigger(work_order)
    claim_next(free_worker.token)
    in_an_hour = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: in_an_hour)
    assert api.data(f"/runs/{run.pk}")["status"] == "building"
    assert api.data("/queue/health")["stats"]["maxConcurrent"] == 1
