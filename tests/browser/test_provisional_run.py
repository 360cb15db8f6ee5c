"""A run that its API has accepted under an ID it does not keep to, as a person sees it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import opened_page
from tests.browser.pages import (
    open_dialog,
    open_work_order,
    sign_in_by_link,
    start_button,
    toast,
    trigger_button,
)
from tests.support import runs_api as api
from tests.support.product import Product
from tests.support.runs_api import RunsAPI

WAITING = "Run accepted, waiting for it to appear."


@pytest.fixture(scope="module")
def recorded_api() -> Iterator[RunsAPI]:
    with api.serve() as runs_api:
        runs_api.on("GET", "/work-orders", api.items())
        yield runs_api


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory, recorded_api: RunsAPI) -> Iterator[Product]:
    directory = tmp_path_factory.mktemp("dashboard")
    variables = {"RUNS_API_URL": recorded_api.url, "RUNS_API_KEY": api.API_KEY}
    with Product(directory, **variables) as product:
        yield product


def signed_in_page(
    browser: Browser, dashboard: Product, expected: list[str], *, scripts: bool
) -> Iterator[Page]:
    link = dashboard.manage("sign_in_link", "operator", "--base-url", dashboard.url).strip()
    for page in opened_page(browser, dashboard, expected, java_script_enabled=scripts):
        sign_in_by_link(page, link)
        yield page


@pytest.fixture
def page(browser: Browser, dashboard: Product, expected_errors: list[str]) -> Iterator[Page]:
    yield from signed_in_page(browser, dashboard, expected_errors, scripts=True)


@pytest.fixture
def scriptless_page(
    browser: Browser, dashboard: Product, expected_errors: list[str]
) -> Iterator[Page]:
    yield from signed_in_page(browser, dashboard, expected_errors, scripts=False)


def accepts(runs_api: RunsAPI, work_order_id: str) -> None:
    """A trigger is answered with an ID of which nothing is known."""
    runs_api.has(id=work_order_id)
    accepted = api.data({"runId": f"run-{work_order_id}-1795430617725", "status": "building"}, 202)
    runs_api.triggers(accepted, work_order_id)


def lists_its_run(runs_api: RunsAPI, work_order_id: str, run_id: str) -> None:
    run = {"id": run_id, "workOrderId": work_order_id, "status": "building"}
    runs_api.has_run(**run, runNumber=None)
    runs_api.has(id=work_order_id, status="queued", runs=[run])


def test_page_goes_to_the_run_when_it_appears(recorded_api: RunsAPI, page: Page) -> None:
    accepts(recorded_api, "wo-1")
    open_dialog(page, "wo-1")
    start_button(page).click()
    expect(page.get_by_text(WAITING)).to_be_visible()
    lists_its_run(recorded_api, "wo-1", "run-real")
    expect(page.get_by_role("heading", name="Run run-real")).to_be_visible()
    expect(toast(page, "Run run-real started")).to_be_visible()


def test_page_looks_again_without_javascript(recorded_api: RunsAPI, scriptless_page: Page) -> None:
    page = scriptless_page
    accepts(recorded_api, "wo-2")
    open_work_order(page, "wo-2")
    trigger_button(page).click()
    start_button(page).click()
    expect(page.get_by_text(WAITING)).to_be_visible()
    lists_its_run(recorded_api, "wo-2", "run-true")
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading", name="Run run-true")).to_be_visible()
    expect(toast(page, "Run run-true started")).to_be_visible()
