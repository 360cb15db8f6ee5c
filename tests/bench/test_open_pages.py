"""The benchmark of open pages uses the product's pages as browsers do."""

import pytest
from django.test import Client

from bench import counting_api
from bench.product_server import HTMX_HEADERS, joined, refresh_address
from tests.support import runs_api as api
from tests.support.page_text import show
from tests.support.runs_api import RunsAPI

ORDER = counting_api.order_ids()[0]
PATH = f"/work-orders/{ORDER}/"


@pytest.fixture(autouse=True)
def _its_runs_api(runs_api: RunsAPI) -> None:
    """Give the responses of the bench's counting runs API."""
    runs_api.on("GET", f"/work-orders/{ORDER}", api.data(counting_api.work_order(ORDER)))


def test_work_order_of_the_bench_is_shown_with_its_active_run(operator: Client) -> None:
    assert f"Run #{counting_api.RUNS} is in progress" in " ".join(show(operator, PATH).split())


def test_page_and_refreshes_contain_the_address_of_the_next_refresh(
    operator: Client, runs_api: RunsAPI
) -> None:
    address = joined(PATH, refresh_address(show(operator, PATH)))
    assert operator.get(address, headers=HTMX_HEADERS).status_code == 204
    counting_api.change(ORDER)
    runs_api.on("GET", f"/work-orders/{ORDER}", api.data(counting_api.work_order(ORDER)))
    changed = operator.get(address, headers={"HX-Request": "true"})
    address = joined(address, refresh_address(changed.text))
    assert operator.get(address, headers=HTMX_HEADERS).status_code == 204
