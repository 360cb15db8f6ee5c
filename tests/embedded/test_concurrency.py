"""Concurrent requests, each on its own database connection."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from tests.embedded.conftest import Api
from workorders.embedded.models import Run, Status, Worker, WorkOrder
from workorders.embedded.transitions import claim_next, finish, reap

TOGETHER = 8

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(TOGETHER) as pool:
        yield pool


def at_once(pool: ThreadPoolExecutor, call: Callable[[int], Any]) -> list[Any]:
    barrier = Barrier(TOGETHER)

    def meet(number: int) -> Any:
        barrier.wait()
        try:
            return call(number)
        finally:
            connection.close()

    return list(pool.map(meet, range(TOGETHER)))


def test_triggers_get_distinct_numbers(
    installation: None, work_order: WorkOrder, pool: ThreadPoolExecutor
) -> None:
    api = Api("the-key")
    responses = at_once(pool, lambda _: api.post(f"/work-orders/{work_order.pk}/runs"))
    numbers = [response.json()["error"]["details"]["runNumber"] for response in responses]
    assert sorted(numbers) == list(range(1, TOGETHER + 1))


def test_triggers_get_distinct_queue_positions(
    installation: None, make_work_order: Callable[..., WorkOrder], pool: ThreadPoolExecutor
) -> None:
    api = Api("the-key")
    ids = [make_work_order().pk for _ in range(TOGETHER)]
    responses = at_once(pool, lambda n: api.post(f"/work-orders/{ids[n]}/runs"))
    all_details = [response.json()["error"]["details"] for response in responses]
    by_place = sorted(all_details, key=lambda details: details["queuePosition"])
    assert [details["queuePosition"] for details in by_place] == list(range(1, TOGETHER + 1))
    assert [details["runId"] for details in by_place] == [run.pk for run in Run.objects.queued()]


def test_only_as_many_runs_start_as_there_are_workers(
    installation: None,
    make_work_order: Callable[..., WorkOrder],
    free_worker: Worker,
    pool: ThreadPoolExecutor,
) -> None:
    api = Api("the-key")
    ids = [make_work_order().pk for _ in range(TOGETHER)]
    responses = at_once(pool, lambda n: api.post(f"/work-orders/{ids[n]}/runs"))
    assert sorted(response.status_code for response in responses) == [201] + [202] * (TOGETHER - 1)


def test_same_key_makes_one_run(
    installation: None, work_order: WorkOrder, pool: ThreadPoolExecutor
) -> None:
    api = Api("the-key")
    responses = at_once(
        pool,
        lambda _: api.post(f"/work-orders/{work_order.pk}/runs", headers={"Idempotency-Key": "k"}),
    )
    assert {response.status_code for response in responses} == {202}
    assert {response.json()["error"]["details"]["runId"] for response in responses} == {
        Run.objects.get().pk
    }


def test_expired_key_makes_one_new_run(
    installation: None, work_order: WorkOrder, pool: ThreadPoolExecutor
) -> None:
    api, headers = Api("the-key"), {"Idempotency-Key": "k"}
    api.post(f"/work-orders/{work_order.pk}/runs", headers=headers)
    Run.objects.update(queued_at="2020-01-01T00:00Z")
    responses = at_once(
        pool, lambda _: api.post(f"/work-orders/{work_order.pk}/runs", headers=headers)
    )
    assert {response.json()["error"]["details"]["runNumber"] for response in responses} == {2}
    assert Run.objects.count() == 2


def test_expired_key_for_several_work_orders_makes_one_new_run(
    installation: None, make_work_order: Callable[..., WorkOrder], pool: ThreadPoolExecutor
) -> None:
    api, headers = Api("the-key"), {"Idempotency-Key": "k"}
    ids = [make_work_order().pk for _ in range(TOGETHER)]
    api.post(f"/work-orders/{ids[0]}/runs", headers=headers)
    Run.objects.update(queued_at="2020-01-01T00:00Z")
    responses = at_once(pool, lambda n: api.post(f"/work-orders/{ids[n]}/runs", headers=headers))
    assert sorted(response.status_code for response in responses) == [202] + [422] * (TOGETHER - 1)
    assert Run.objects.count() == 2


def test_concurrent_requests_with_the_same_key_get_the_same_response(
    installation: None, work_order: WorkOrder, pool: ThreadPoolExecutor
) -> None:
    """One response is the first, and each of the others is that one, marked as repeated."""
    api, headers = Api("the-key"), {"Idempotency-Key": "k"}
    responses = at_once(
        pool, lambda _: api.post(f"/work-orders/{work_order.pk}/runs", headers=headers)
    )
    assert len({str(response.json()["error"]) for response in responses}) == 1
    repeated = ["Idempotency-Replayed" in response.headers for response in responses]
    assert sorted(repeated) == [False] + [True] * (TOGETHER - 1)


def test_same_key_for_several_work_orders_makes_one_run(
    installation: None, make_work_order: Callable[..., WorkOrder], pool: ThreadPoolExecutor
) -> None:
    api = Api("the-key")
    ids = [make_work_order().pk for _ in range(TOGETHER)]
    responses = at_once(
        pool,
        lambda n: api.post(f"/work-orders/{ids[n]}/runs", headers={"Idempotency-Key": "k"}),
    )
    assert sorted(response.status_code for response in responses) == [202] + [422] * (TOGETHER - 1)
    assert Run.objects.count() == 1


def test_run_is_claimed_once(
    work_order: WorkOrder, trigger: Callable[..., Run], pool: ThreadPoolExecutor
) -> None:
    trigger(work_order)
    trigger(work_order)
    claimed = [run for run in at_once(pool, lambda n: claim_next(f"w{n}")) if run]
    assert [run.number for run in claimed] == [1]


def test_claims_of_several_work_orders_do_not_collide(
    make_work_order: Callable[..., WorkOrder],
    trigger: Callable[..., Run],
    pool: ThreadPoolExecutor,
) -> None:
    for _ in range(TOGETHER):
        trigger(make_work_order())
    claimed = at_once(pool, lambda n: claim_next(f"w{n}"))
    assert len({run.pk for run in claimed}) == TOGETHER


@pytest.mark.skipif(
    not connection.features.has_select_for_update, reason="SQLite has one writer at a time"
)
def test_a_run_whose_work_order_is_locked_for_a_moment_is_claimed_after_it(
    work_order: WorkOrder, trigger: Callable[..., Run], pool: ThreadPoolExecutor
) -> None:
    """Or the only run would wait for the next heartbeat, because somebody looked at its order."""
    run = trigger(work_order)

    def claim() -> Run | None:
        try:
            return claim_next("w")
        finally:
            connection.close()

    with transaction.atomic():
        WorkOrder.objects.select_for_update().get(pk=work_order.pk)
        claimed = pool.submit(claim)
        wait([claimed], timeout=0.3)  # enough for a worker that gives up at once
    assert claimed.result() == run


def test_expired_run_ends_once(
    work_order: WorkOrder, trigger: Callable[..., Run], pool: ThreadPoolExecutor
) -> None:
    trigger(work_order)
    run = claim_next("w")
    assert run
    Run.objects.update(lease_until="2020-01-01T00:00Z")

    def end(number: int) -> int:
        return reap(Run.objects.expired()) if number else finish(run, "w", Status.SUCCEEDED)

    assert sum(at_once(pool, end)) == 1
