"""The calls that wake the workers through Redis, and what goes on without it."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from django.tasks import task_backends
from django_tasks_redis import RedisTaskBackend
from pytest_django import Settings
from redis import Redis

from tests.embedded.conftest import Api, eventually
from tests.support.embedded_workers import WorkerProcess
from tests.support.ephemeral_servers import redis
from workorders.embedded.models import Run, WorkOrder
from workorders.embedded.tasks import execute_next_run, wake_if_needed
from workorders.embedded.wakeups import wakeup_queue

NOBODY = "redis://127.0.0.1:9/0"

type Start = Callable[..., WorkerProcess]
type MakeRun = Callable[..., Run]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with redis() as url:
        yield url


@pytest.fixture
def call_through(transactional_db: None, settings: Settings) -> Iterator[Callable[[str], None]]:
    """Sends the calls of this process through the Redis at an address."""
    before = task_backends["default"]

    def call_through(url: str) -> None:
        settings.REDIS_URL = url
        options = {"REDIS_URL": url, "REDIS_SOCKET_TIMEOUT": 1, "REDIS_BLOCK_TIMEOUT": 0}
        task_backends["default"] = RedisTaskBackend("default", {"OPTIONS": options})
        wakeup_queue.cache_clear()

    yield call_through
    task_backends["default"] = before
    wakeup_queue.cache_clear()


@pytest.fixture
def stored(server: str, call_through: Callable[[str], None]) -> Iterator[Redis]:
    """What is stored in the Redis that calls go through; nothing at first."""
    call_through(server)
    with Redis.from_url(server) as client:
        client.flushdb()
        yield client


def ended(run: Run) -> bool:
    run.refresh_from_db()
    return run.completed_at is not None


def test_a_call_wakes_a_worker(
    stored: Redis, server: str, worker: Start, work_order: WorkOrder, trigger: MakeRun
) -> None:
    worker(REDIS_URL=server)
    run = trigger(work_order)
    eventually(lambda: ended(run))
    assert run.status == "succeeded"


def test_a_call_that_redis_has_lost_is_made_up_for(
    stored: Redis, server: str, worker: Start, work_order: WorkOrder, trigger: MakeRun
) -> None:
    run = trigger(work_order)
    stored.flushdb()
    worker(REDIS_URL=server)
    eventually(lambda: ended(run))
    assert run.status == "succeeded"


def test_workers_without_their_redis_look_for_runs(
    worker: Start, work_order: WorkOrder, trigger: MakeRun
) -> None:
    process = worker(REDIS_URL=NOBODY)
    run = trigger(work_order)
    eventually(lambda: ended(run))
    assert run.status == "succeeded"
    assert "looking for runs without being called" in process.log.read_text()


def test_a_run_is_triggered_without_redis(
    call_through: Callable[[str], None], work_order: WorkOrder
) -> None:
    call_through(NOBODY)
    answer = Api("the-key").post(f"/work-orders/{work_order.pk}/runs")
    assert answer.status_code == 202
    assert work_order.runs.get().pk == answer.json()["error"]["details"]["runId"]


def test_one_call_waits_at_a_time(stored: Redis, work_order: WorkOrder, trigger: MakeRun) -> None:
    trigger(work_order)
    wake_if_needed()
    wakeup_queue().process_next("w")
    assert not wakeup_queue().has_pending()


def test_a_call_that_died_with_its_worker_does_not_wait(
    stored: Redis, work_order: WorkOrder, trigger: MakeRun
) -> None:
    trigger(work_order)
    backend = cast("Any", task_backends["default"])
    backend.broker.receive(worker_id="dead")
    assert not wakeup_queue().has_pending()
    wake_if_needed()
    assert wakeup_queue().has_pending()


def test_answered_calls_leave_nothing(stored: Redis) -> None:
    def size() -> object:
        execute_next_run.enqueue()
        wakeup_queue().process_next("w")
        return sorted(stored.keys())

    assert size() == size()
