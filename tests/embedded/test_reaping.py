"""Reads of the API end the runs of dead workers, but do not depend on writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from tests.embedded.conftest import Api
from workorders.embedded import reaping
from workorders.embedded.models import Run, WorkOrder
from workorders.embedded.transitions import WORKER_LOST, claim_next

READS = ["/work-orders", "/work-orders/{order}", "/runs", "/runs/{run}", "/runs/{run}/log"]


class Clock:
    """Two clocks in seconds: the machine's (also while the machine sleeps) and the time of day."""

    def __init__(self) -> None:
        self.machine = self.time_of_day = 1000.0

    def __call__(self) -> tuple[float, float]:
        return self.machine, self.time_of_day

    def pass_(self, seconds: float) -> None:
        self.machine += seconds
        self.time_of_day += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Clock:
    settings.RUN_LEASE_SECONDS = 10
    clock = Clock()
    monkeypatch.setattr(reaping, "_clocks", clock)
    monkeypatch.setattr(reaping, "reaper", reaping.Reaper())
    return clock


@pytest.fixture
def lost(work_order: WorkOrder, trigger: Callable[..., Run]) -> Run:
    """A run whose lease expired long ago."""
    trigger(work_order)
    run = claim_next("gone")
    assert run
    Run.objects.update(lease_until="2020-01-01T00:00Z")
    return run


@contextmanager
def no_writes() -> Iterator[None]:
    """Let every write fail, as on a full disk."""

    def refuse(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if sql.startswith(("UPDATE", "INSERT", "DELETE")):
            raise OperationalError("database or disk is full")
        return execute(sql, *arguments)

    with connection.execute_wrapper(refuse):
        yield


def status(api: Api, run: Run) -> str:
    found: str = api.data(f"/runs/{run.pk}")["status"]
    return found


def watch(api: Api, clock: Clock, run: Run) -> None:
    """Read the run every three seconds for two leases."""
    for _ in range(7):
        clock.pass_(3)
        status(api, run)


def test_reads_end_the_run_of_a_dead_worker(clock: Clock, api: Api, lost: Run) -> None:
    watch(api, clock, lost)
    assert status(api, lost) == "failed"
    assert api.data(f"/runs/{lost.pk}")["error"] == WORKER_LOST


@pytest.mark.parametrize("path", READS)
def test_read_does_not_depend_on_a_write(clock: Clock, api: Api, lost: Run, path: str) -> None:
    with no_writes():
        watch(api, clock, lost)
        response = api.get(path.format(order=lost.work_order_id, run=lost.pk))
    assert response.status_code == 200
    watch(api, clock, lost)
    assert status(api, lost) == "failed", "the run ends once writes succeed again"


def test_first_read_after_a_pause_ends_no_run(clock: Clock, api: Api, lost: Run) -> None:
    """After a restart or a suspension the worker has had no chance to renew its lease."""
    assert status(api, lost) == "building"
    clock.pass_(20)  # suspended for two leases
    assert status(api, lost) == "building"
    clock.time_of_day += 20  # a virtual machine was paused, so its machine clock stood still
    assert status(api, lost) == "building"
    Run.objects.update(lease_until="2999-01-01T00:00Z")  # the worker wakes up as well
    watch(api, clock, lost)
    assert status(api, lost) == "building"


def test_run_is_ended_a_heartbeat_after_a_write_has_succeeded(
    clock: Clock, api: Api, lost: Run
) -> None:
    """While nothing could be written its worker could not renew the lease either."""
    looks = 0
    while lost.pk not in reaping.reaper._marked and looks < 9:
        clock.pass_(3)
        assert status(api, lost) == "building"
        looks += 1
    with no_writes():
        for _ in range(9):
            clock.pass_(3)
            assert status(api, lost) == "building"
    assert status(api, lost) == "building"
    watch(api, clock, lost)
    assert status(api, lost) == "failed"


def test_outage_of_the_database_ends_no_run(clock: Clock, api: Api, lost: Run) -> None:
    watch(api, clock, lost)
    Run.objects.update(status="building", completed_at=None, lease_until="2020-01-01T00:00Z")

    def fail(*_: object) -> None:
        clock.pass_(3)
        raise OperationalError("gone")

    with connection.execute_wrapper(fail):
        for _ in range(4):
            assert api.get(f"/runs/{lost.pk}").status_code == 503
    assert status(api, lost) == "building"
    watch(api, clock, lost)
    assert status(api, lost) == "failed"
