"""Metrics of the whole product: the counts of two web processes are added up."""

import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.support.product import Product, wait_until
from tests.support.scraped import AUTHORIZED, TOKEN, Scraped

REQUESTS = "http_request_duration_seconds_count"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    variables = {"METRICS_TOKEN": TOKEN, "WEB_PROCESSES": "2", "WORKERS": "1"}
    with Product(tmp_path_factory.mktemp("processes"), **variables) as product:
        yield product


def scrape(product: Product) -> Scraped:
    response = httpx.get(f"{product.url}/metrics", headers=AUTHORIZED, trust_env=False)
    assert response.status_code == 200
    return Scraped(response.text)


def sign_in_pages(product: Product) -> float:
    return scrape(product).sum(REQUESTS, view="sign_in", status="2xx")


def open_sign_in(product: Product) -> None:
    """Each call uses a new connection: the kernel distributes connections over the processes."""
    assert httpx.get(f"{product.url}/sign-in/", trust_env=False).status_code == 200


def counting(product: Product) -> set[str]:
    """The names of the metrics files: one for each process that has counted a request."""
    return {path.stem for path in (product.data_dir / "metrics").glob("histogram_*.db")}


def responds(product: Product) -> bool:
    try:
        open_sign_in(product)
    except httpx.HTTPError:
        return False
    return True


def open_until_both_have_responded(product: Product) -> int:
    opened = 0

    def both() -> bool:
        nonlocal opened
        open_sign_in(product)
        opened += 1
        return len(counting(product)) >= 2

    wait_until(both)
    return opened


def test_counts_of_all_processes_are_summed(product: Product) -> None:
    before = sign_in_pages(product)
    opened = open_until_both_have_responded(product)
    # Every scrape gives the same sum, whichever process responds.
    assert {sign_in_pages(product) for _ in range(10)} == {before + opened}
    wait_until(lambda: scrape(product).value("worker_slots") == 1)


def test_counts_of_a_killed_process_are_kept(product: Product) -> None:
    before, counted = product.pids("granian"), sign_in_pages(product)
    opened = open_until_both_have_responded(product)
    # A file is named after its process.
    killed = int(counting(product).pop().rpartition("_")[2])
    assert killed in before
    os.kill(killed, signal.SIGKILL)
    (
        product.data_dir / "metrics" / "counter_1.db"
    ).touch()  # as a process leaves it that was killed at its start
    wait_until(lambda: len(product.pids("granian") - before) > 0)
    wait_until(lambda: responds(product))
    assert sign_in_pages(product) > counted + opened


def test_counts_begin_at_zero_after_a_restart(product: Product) -> None:
    open_sign_in(product)
    assert sign_in_pages(product) > 0
    product.stop()
    product.start()
    assert sign_in_pages(product) == 0
    open_sign_in(product)
    assert sign_in_pages(product) == 1


def test_commands_write_no_metrics_files(product: Product) -> None:
    before = counting(product)
    product.manage("list_work_orders")
    assert counting(product) == before
