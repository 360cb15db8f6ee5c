"""Wake-up calls of workers through Redis, and workers without Redis."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from django.tasks import task_backends
from django_tasks_redis import RedisTaskBackend
from pytest_django import Settings
from redis import Redis

from tests.embedded.conftest import Api, MakeRun, Start, eventually, has_ended
from tests.support.ephemeral_servers import redis
from workorders.embedded.models import WorkOrder
from workorders.embedded.tasks import execute_next_run, wake_if_needed
from workorders.embedded.wakeups import wakeup_queue

UNREACHABLE_REDIS = "redis://127.0.0.1:9/0"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with redis() as url:
        yield url


@pytest.fixture
def use_redis(transactional_db: None, settings: Settings) -> Iterator[Callable[[str], None]]:
    """A function that makes this process send its wake-up calls through the Redis at a URL."""
    before = task_backends["default"]

    def use_redis(url: str) -> None:
        settings.REDIS_URL = url
        options = {"REDIS_URL": url, "REDIS_SOCKET_TIMEOUT": 1, "REDIS_BLOCK_TIMEOUT": 0}
        task_backends["default"] = RedisTaskBackend("default", {"OPTIONS": options})
        wakeup_queue.cache_clear()

    yield use_redis
    task_backends["default"] = before
    wakeup_queue.cache_clear()


@pytest.fixture
def stored(server: str, use_redis: Callable[[str], None]) -> Iterator[Redis]:
    """A client of the Redis server that the wake-up calls go through; it is empty at first."""
    use_redis(server)
    with Redis.from_url(server) as client:
        client.flushdb()
        yield client


def test_wakeup_call_wakes_a_worker(
    stored: Redis, server: str, worker: Start, work_order: WorkOrder, trigger: MakeRun
) -> None:
    worker(REDIS_URL=server)
    run = trigger(work_order)
    eventually(lambda: has_ended(run))
    assert run.status == "succeeded"


def test_run_starts_although_redis_lost_its_wakeup_call(
    stored: Redis, server: str, worker: Start, work_order: WorkOrder, trigger: MakeRun
) -> None:
    run = trigger(work_order)
    stored.flushdb()
    worker(REDIS_URL=server)
    eventually(lambda: has_ended(run))
    assert run.status == "succeeded"


def test_worker_without_redis_looks_for_runs_itself(
    worker: Start, work_order: WorkOrder, trigger: MakeRun
) -> None:
    process = worker(REDIS_URL=UNREACHABLE_REDIS)
    run = trigger(work_order)
    eventually(lambda: has_ended(run))
    assert run.status == "succeeded"
    assert "looking for runs without being called" in process.log.read_text()


def test_run_can_be_triggered_without_redis(
    use_redis: Callable[[str], None], work_order: WorkOrder
) -> None:
    use_redis(UNREACHABLE_REDIS)
    response = Api("the-key").post(f"/work-orders/{work_order.pk}/runs")
    assert response.status_code == 202
    assert work_order.runs.get().pk == response.json()["error"]["details"]["runId"]


def test_only_one_wakeup_call_is_pending_at_a_time(
    stored: Redis, work_order: WorkOrder, trigger: MakeRun
) -> None:
    trigger(work_order)
    wake_if_needed()
    wakeup_queue().process_next("w")
    assert not wakeup_queue().has_pending()


def test_wakeup_call_of_a_dead_worker_is_not_pending(
    stored: Redis, work_order: WorkOrder, trigger: MakeRun
) -> None:
    trigger(work_order)
    backend = cast("Any", task_backends["default"])
    backend.broker.receive(worker_id="dead")
    assert not wakeup_queue().has_pending()
    wake_if_needed()
    assert wakeup_queue().has_pending()


def test_processed_wakeup_calls_leave_no_keys(stored: Redis) -> None:
    def size() -> object:
        execute_next_run.enqueue()
        wakeup_queue().process_next("w")
        return sorted(stored.keys())

    assert size() == size()
