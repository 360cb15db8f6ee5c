"""The product with its own runs API, killed with -9 at each step of a run: nothing is lost,
doubled or stuck."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest

from tests.browser.orders import FINAL, Orders
from tests.exactly_once.operator_driver import Desk, desk_at, sign_in, told
from tests.restart.killing import kill_and_start, kill_web_workers, wait_for_answer
from tests.support.product import Product
from tests.support.thorough import THOROUGH
from workorders.embedded.transitions import WORKER_LOST

MANY_FILES = 8_000
"""Copying them takes long enough to be seen."""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    data_dir = tmp_path_factory.mktemp("embedded")
    with Product(data_dir, RUN_LEASE_SECONDS="2", WEB_PROCESSES="1") as product:
        with Orders(product) as orders:
            orders.prepare()
        yield product


@pytest.fixture(scope="module")
def desk(product: Product) -> Iterator[Desk]:
    with desk_at(product, sign_in(product)) as desk:
        yield desk


@pytest.fixture
def orders(product: Product) -> Iterator[Orders]:
    with Orders(product) as orders:
        yield orders


@pytest.mark.parametrize("milliseconds", [0, 5, 10, 20, 40, 80] if THOROUGH else [0, 10, 40])
def test_web_server_killed_while_a_run_is_started(
    product: Product, orders: Orders, desk: Desk, milliseconds: int
) -> None:
    """At some moment between the click and the answer, or just after it."""
    work_order_id = orders.create("passing")
    dialog = desk.open_dialog(work_order_id)
    with ThreadPoolExecutor(1) as pool:
        click = pool.submit(dialog.press, "Start Run")
        sleep(milliseconds / 1000)
        kill_web_workers(product)
        click.exception()
    wait_for_answer(product)
    after = told(dialog.press("Start Run"))
    if after.form("Retry"):  # it was killed before the request went out
        after = told(after.press("Retry"))
    assert "Run #1 started" in after.text
    [run_id] = [run["id"] for run in orders.runs(work_order_id)]
    orders.wait_for(run_id, {"succeeded"})
    assert orders.run(run_id)["iterationCount"] == 1


def test_everything_killed_with_runs_at_work_and_another_behind_them(
    product: Product, orders: Orders
) -> None:
    at_work = [orders.running()[1] for _ in range(2)]
    queued = orders.trigger(orders.create("passing"))
    kill_and_start(product)
    with Orders(product) as after:
        for run_id in at_work:
            after.wait_for(run_id, FINAL)
            assert after.run(run_id)["error"] == WORKER_LOST
        after.wait_for(queued, FINAL)
        assert (after.run(queued)["status"], after.run(queued)["iterationCount"]) == (
            "succeeded",
            1,
        )


def test_worker_killed_while_it_copies_the_workspace(product: Product, orders: Orders) -> None:
    for number in range(MANY_FILES):
        (product.data_dir / "workspace" / f"file-{number}").touch()
    work_order_id = orders.create("passing")
    run_id = orders.trigger(work_order_id)
    orders.wait_for(run_id, {"building"})
    for pid in product.pids("worker"):
        os.kill(pid, signal.SIGKILL)
    orders.wait_for(run_id, FINAL)
    assert orders.run(run_id)["error"] == WORKER_LOST
    assert orders.run_numbers(work_order_id) == [1]
