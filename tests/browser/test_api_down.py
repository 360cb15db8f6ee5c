"""The runs API goes down and comes back while people look at the dashboard."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, StorageState, expect

from tests.browser.conftest import opened_page
from tests.browser.pages import (
    NETWORK_ERROR,
    expect_never_reloaded,
    mark,
    open_work_order,
    seen_requests,
    sign_in_by_link,
    start_button,
    trigger_button,
)
from tests.support import runs_api as api
from tests.support.page_text import orders
from tests.support.product import Product
from tests.support.runs_api import API_KEY, RunsAPI

ERRORS = "503|htmx:responseError"


class Switch:
    """A runs API that a test turns off and, at the same address, on again."""

    def __init__(self, runs_api: RunsAPI) -> None:
        self.api = runs_api
        self._is_on = True
        self._forget()

    def on(self) -> RunsAPI:
        self._forget()
        if not self._is_on:
            self.api.come_back()
            self._is_on = True
        return self.api

    def off(self) -> None:
        if self._is_on:
            self.api.go_away()
            self._is_on = False

    def _forget(self) -> None:
        self.api.asked.clear()
        self.api.replies.clear()
        self.api.on("GET", "/work-orders", api.items(*orders(3)))
        self.api.has(runs=[{"id": "run-1", "runNumber": 1, "status": "failed"}])
        self.api.on("GET", "/profiles", api.items())


@pytest.fixture(scope="module")
def switch() -> Iterator[Switch]:
    with api.serve() as runs_api:
        yield Switch(runs_api)


@pytest.fixture(scope="module")
def remote(switch: Switch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A dashboard of that runs API; one process, so that all pages know the same."""
    variables = {"RUNS_API_URL": switch.api.url, "RUNS_API_KEY": API_KEY, "WEB_PROCESSES": "1"}
    with Product(tmp_path_factory.mktemp("remote"), **variables) as product:
        yield product


@pytest.fixture(scope="module")
def remote_state(browser: Browser, remote: Product) -> StorageState:
    context = browser.new_context()
    sign_in_by_link(context.new_page(), remote.sign_in_link)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(
    browser: Browser, remote: Product, remote_state: StorageState, expected_errors: list[str]
) -> Iterator[Page]:
    expected_errors.append(ERRORS)
    yield from opened_page(browser, remote, expected_errors, storage_state=remote_state)


@pytest.fixture(autouse=True)
def _on_again(switch: Switch) -> Iterator[None]:
    yield
    switch.on()


def answer_polls_with(page: Page, status: int) -> None:
    """Two refreshes of the page get that status."""
    answered: list[Route] = []

    def answer(route: Route) -> None:
        if "hx-request" not in route.request.headers or "/banner/" in route.request.url:
            route.fallback()
            return
        route.fulfill(status=status)
        answered.append(route)

    page.route("**/*", answer)
    while len(answered) < 2:
        page.wait_for_timeout(10)
    page.unroute_all(behavior="wait")


def banner(page: Page) -> Locator:
    return page.get_by_text("The runs API has not answered since")


def test_banner_comes_and_goes_on_an_open_page(page: Page, switch: Switch) -> None:
    page.clock.install()
    page.goto("/work-orders/")
    page.get_by_label("Search prompt or ID").fill("half a wo")
    mark(page)
    expect(banner(page)).to_be_hidden()

    switch.off()
    page.clock.run_for(20_000)
    expect(banner(page)).to_be_visible()
    expect(page.get_by_text("This page was last updated")).to_be_visible()
    expect(page.get_by_text("Not updating")).to_be_hidden()  # one outage, one notice
    expect(page.get_by_text("cannot reach the server")).to_be_hidden()
    expect(page.get_by_text("Task 2")).to_be_visible()

    switch.on()
    expect(banner(page)).to_be_hidden()
    expect(page.get_by_text("Not updating")).to_be_hidden()
    expect(page.get_by_label("Search prompt or ID")).to_have_value("half a wo")
    expect_never_reloaded(page)


def test_banner_that_stays_is_not_written_anew(page: Page, switch: Switch) -> None:
    """What is written into a live region is read out, the same words too."""
    switch.off()
    page.goto("/work-orders/")
    page.goto("/preferences/")
    expect(banner(page)).to_be_visible()
    page.evaluate(
        """() => {
            window.written = 0;
            new MutationObserver((changes) => { window.written += changes.length; }).observe(
                document.getElementById("runs-api-banner"),
                {childList: true, subtree: true, characterData: true},
            );
        }"""
    )
    for _ in range(2):
        with page.expect_response(lambda response: "/runs-api/banner/" in response.url):
            pass
    assert page.evaluate("window.written") == 0


def test_page_that_could_not_be_shown_comes_back(page: Page, switch: Switch) -> None:
    switch.off()
    page.goto("/work-orders/?q=Task+2")
    refused = page.get_by_text("nothing listens there: the connection was refused")
    expect(refused).to_be_hidden()  # words for who runs the dashboard
    page.get_by_text("Details").click()
    expect(refused).to_be_visible()
    expect(banner(page)).to_have_count(1)
    expect(page.get_by_text("Not updating")).to_be_hidden()
    mark(page)
    answer_polls_with(page, 204)  # another request is asking the API: nothing is known yet
    expect_never_reloaded(page)
    switch.on()
    expect(page.get_by_role("link", name="Task 2")).to_be_visible()
    expect(page.get_by_label("Search prompt or ID")).to_have_value("Task 2")
    expect(banner(page)).to_be_hidden()


def test_banner_leads_to_what_is_wrong(page: Page, switch: Switch) -> None:
    switch.off()
    page.goto("/work-orders/")
    page.get_by_role("link", name="What is wrong").click()
    facts = page.locator("dl.facts")
    expect(facts).to_contain_text("Does not answer, since")
    expect(facts).to_contain_text(switch.api.url)
    switch.on()
    expect(facts).to_contain_text("Answers, since")


def test_no_page_asks_for_the_banner_while_all_is_well(page: Page, switch: Switch) -> None:
    page.clock.install()
    page.goto("/work-orders/")
    asked = seen_requests(page, lambda request: "/runs-api/banner/" in request.url)
    with page.expect_response(lambda response: "version=" in response.url):
        page.clock.run_for(60_000)
    assert asked == []


def test_restart_of_the_api_between_two_clicks(page: Page, switch: Switch) -> None:
    """A dialog that was opened before works after."""
    open_work_order(page, "wo-1")
    trigger_button(page).click()
    expect(start_button(page)).to_be_visible()
    switch.off()
    started = {"runId": "run-2", "runNumber": 2, "status": "queued", "workOrderId": "wo-1"}
    restarted = switch.on()
    restarted.triggers(api.data(started, status=201))
    restarted.has_run(id="run-2", runNumber=2, status="queued")
    start_button(page).click()
    expect(page.get_by_role("heading", name="Run #2")).to_be_visible()
    assert len(restarted.triggered) == 1


def test_start_while_the_api_is_down_can_be_sent_again(
    page: Page, switch: Switch, expected_errors: list[str]
) -> None:
    open_work_order(page, "wo-1")
    trigger_button(page).click()
    expect(start_button(page)).to_be_visible()
    expected_errors.append("422")
    switch.off()
    start_button(page).click()
    expect(page.locator("#dialog-error")).to_contain_text(NETWORK_ERROR)
    restarted = switch.on()
    restarted.triggers(api.data({"runId": "run-3", "runNumber": 3, "status": "queued"}, 201))
    restarted.has_run(id="run-3", runNumber=3, status="queued")
    start_button(page).click()
    expect(page.get_by_role("heading", name="Run #3")).to_be_visible()
