"""The pages that the bench keeps open are the product's own."""

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
    """Answers as the one that counts its calls does."""
    runs_api.on("GET", f"/work-orders/{ORDER}", api.data(counting_api.work_order(ORDER)))


def test_its_work_order_is_shown_with_its_active_run(operator: Client) -> None:
    assert f"Run #{counting_api.RUNS} is in progress" in " ".join(show(operator, PATH).split())


def test_a_page_and_each_refresh_tell_what_to_ask_next(operator: Client, runs_api: RunsAPI) -> None:
    address = joined(PATH, refresh_address(show(operator, PATH)))
    assert operator.get(address, headers=HTMX_HEADERS).status_code == 204
    counting_api.change(ORDER)
    runs_api.on("GET", f"/work-orders/{ORDER}", api.data(counting_api.work_order(ORDER)))
    changed = operator.get(address, headers={"HX-Request": "true"})
    address = joined(address, refresh_address(changed.text))
    assert operator.get(address, headers=HTMX_HEADERS).status_code == 204
