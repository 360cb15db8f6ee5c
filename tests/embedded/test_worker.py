"""Real ``manage.py worker`` processes: executed runs, lost calls, kills, stops and suspensions."""

import signal
from collections.abc import Callable

import pytest
from pytest_django import Settings

from tests.embedded.conftest import (
    WRITE_PROCESS_ID,
    Api,
    MakeRun,
    SetProfile,
    Start,
    agent_process_id,
    eventually,
    has_ended,
)
from tests.support.embedded_workers import is_alive, lose_calls
from workorders.embedded.models import Run, Worker, WorkOrder
from workorders.embedded.transitions import WORKER_LOST

SLEEPER = f"{WRITE_PROCESS_ID}; echo begun; sleep 600"
"""An agent that writes its process ID and then runs longer than any test."""


@pytest.fixture(autouse=True)
def short_leases(settings: Settings) -> None:
    settings.RUN_LEASE_SECONDS = 4


def sleeper_process_id(run: Run) -> int:
    """The process ID of a ``SLEEPER``, once the agent has started and its log is stored."""
    process_id = agent_process_id(run)
    eventually(lambda: run.log_chunks.count() > 1)
    return process_id


def live_workers() -> int:
    return Worker.objects.live().count()


def test_triggered_run_is_executed(worker: Start, work_order: WorkOrder, trigger: MakeRun) -> None:
    worker()
    eventually(live_workers)
    run = trigger(work_order)
    eventually(lambda: has_ended(run))
    assert run.status == "succeeded"


def test_run_triggered_without_a_worker_is_executed_later(
    worker: Start, work_order: WorkOrder, trigger: MakeRun
) -> None:
    run = trigger(work_order)
    worker()
    eventually(lambda: has_ended(run))
    assert run.status == "succeeded"


def test_run_is_executed_although_its_wakeup_call_was_lost(
    worker: Start, work_order: WorkOrder, trigger: MakeRun
) -> None:
    run = trigger(work_order)
    lose_calls()
    worker()
    eventually(lambda: has_ended(run))
    assert run.status == "succeeded"


def test_queued_runs_of_one_work_order_are_executed_in_sequence(
    worker: Start, work_order: WorkOrder, trigger: MakeRun, set_profile: SetProfile
) -> None:
    set_profile(verify="false", max_iterations=1)
    first, second = trigger(work_order), trigger(work_order)
    worker("one")
    worker("two")
    eventually(lambda: has_ended(first) and has_ended(second))
    assert first.completed_at
    assert second.started_at
    assert first.completed_at <= second.started_at


def test_two_workers_execute_a_run_once(
    worker: Start,
    make_work_order: Callable[..., WorkOrder],
    trigger: MakeRun,
    set_profile: SetProfile,
    settings: Settings,
) -> None:
    set_profile(agent='echo "$RUN_ID" >> "$(dirname "$PWD")/executed"')
    worker("one")
    worker("two")
    eventually(lambda: live_workers() == 2)
    runs = [trigger(make_work_order()) for _ in range(6)]
    eventually(lambda: all(has_ended(run) for run in runs))
    executed = (settings.WORKSPACES_DIR / "executed").read_text().split()
    assert sorted(executed) == sorted(run.pk for run in runs)


def test_sigkill_fails_the_run_and_leaves_no_agent(
    worker: Start,
    work_order: WorkOrder,
    trigger: MakeRun,
    set_profile: SetProfile,
    settings: Settings,
) -> None:
    escapee = 'setsid env -i sh -c "echo $$ > ../escapee; exec sleep 600" & '
    set_profile(agent=escapee + SLEEPER)
    killed = worker("killed")
    run = trigger(work_order)
    agent = sleeper_process_id(run)
    escaped = int((settings.WORKSPACES_DIR / "escapee").read_text())
    killed.send(signal.SIGKILL)
    eventually(lambda: not is_alive(agent))
    eventually(lambda: not is_alive(escaped))
    other = worker("other")
    eventually(lambda: has_ended(run))
    assert (run.status, run.error) == ("failed", WORKER_LOST)
    # The other worker executes the next run, but not this run again.
    set_profile(agent="true")
    following = trigger(work_order)
    eventually(lambda: has_ended(following))
    assert (following.status, run.iterations.count()) == ("succeeded", 1)
    assert run.pk not in other.log.read_text()


def test_run_of_a_killed_worker_ends_without_another_worker(
    worker: Start,
    work_order: WorkOrder,
    trigger: MakeRun,
    set_profile: SetProfile,
) -> None:
    set_profile(agent=SLEEPER)
    killed = worker()
    run = trigger(work_order)
    sleeper_process_id(run)
    killed.send(signal.SIGKILL)
    api = Api("the-key")
    eventually(lambda: api.data(f"/runs/{run.pk}")["status"] == "failed")
    assert api.data(f"/work-orders/{work_order.pk}")["status"] == "failed"
    assert api.data("/queue/health")["status"] == "unhealthy"


def test_worker_finishes_its_run_after_sigterm(
    worker: Start,
    work_order: WorkOrder,
    trigger: MakeRun,
    set_profile: SetProfile,
    settings: Settings,
) -> None:
    set_profile(agent='touch "$(dirname "$PWD")/begun"; sleep 2')
    process = worker()
    run = trigger(work_order)
    eventually((settings.WORKSPACES_DIR / "begun").exists)
    process.send(signal.SIGTERM)
    assert process.wait() == 0
    run.refresh_from_db()
    assert run.status == "succeeded"
    assert not Worker.objects.exists()


def test_second_signal_ends_the_run(
    worker: Start,
    work_order: WorkOrder,
    trigger: MakeRun,
    set_profile: SetProfile,
) -> None:
    set_profile(agent=SLEEPER)
    process = worker()
    run = trigger(work_order)
    agent = sleeper_process_id(run)
    process.send(signal.SIGTERM)
    process.send(signal.SIGINT)
    assert process.wait() == 0
    run.refresh_from_db()
    assert run.error == "The worker was stopped while this run was in progress."
    assert not is_alive(agent)


def test_idle_worker_ends_at_once(worker: Start) -> None:
    process = worker()
    eventually(live_workers)
    process.send(signal.SIGTERM)
    assert process.wait() == 0
    assert not Worker.objects.exists()
    assert "Traceback" not in process.log.read_text()


def test_active_run_can_be_canceled(
    worker: Start,
    work_order: WorkOrder,
    trigger: MakeRun,
    set_profile: SetProfile,
) -> None:
    set_profile(agent=SLEEPER)
    worker()
    run = trigger(work_order)
    agent = sleeper_process_id(run)
    assert Api("the-key").post(f"/runs/{run.pk}/cancel").status_code == 202
    eventually(lambda: has_ended(run))
    assert run.status == "canceled"
    assert not is_alive(agent)


def test_worker_suspended_beyond_its_lease_writes_nothing(
    worker: Start,
    work_order: WorkOrder,
    trigger: MakeRun,
    set_profile: SetProfile,
) -> None:
    set_profile(agent=SLEEPER + " & while :; do echo still here; sleep 0.1; done")
    process = worker()
    run = trigger(work_order)
    agent = sleeper_process_id(run)
    process.send(signal.SIGSTOP)
    api = Api("the-key")
    eventually(lambda: api.data(f"/runs/{run.pk}")["status"] == "failed")
    before = api.data(f"/runs/{run.pk}"), api.data(f"/runs/{run.pk}/log")
    process.send(signal.SIGCONT)
    eventually(lambda: not is_alive(agent))
    eventually(lambda: "was taken from this worker" in process.log.read_text())
    assert (api.data(f"/runs/{run.pk}"), api.data(f"/runs/{run.pk}/log")) == before


def test_row_of_a_dead_worker_is_removed(worker: Start) -> None:
    Worker.objects.create(token="dead", name="dead", seen_at="2020-01-01T00:00Z")
    worker()
    eventually(lambda: [row.name for row in Worker.objects.all()] == ["one"])
