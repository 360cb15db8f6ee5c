"""The answer to a trigger is lost on its way: the dashboard finds out, and starts nothing twice."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.conftest import signed_in_state
from tests.browser.pages import (
    NETWORK_ERROR,
    abort,
    expect_run_page,
    focused,
    open_dialog,
    open_work_order,
    start_button,
    toast,
    trigger_button,
)
from tests.support import faults
from tests.support.faulty_api import FaultyAPI, Kind, Order, serve_faulty
from tests.support.product import Product

CHECKING = "Checking whether your run started…"
NOT_KNOWN = "We could not find out"
NOT_MADE = faults.BY_ID["closed-not-made"]
MADE = faults.BY_ID["closed-made"]
MADE_LATER = faults.BY_ID["closed-made-later"]
COUNT_CHANGES = """
changes = 0;
new MutationObserver(() => { changes += 1; }).observe(
  document.getElementById("trigger-dialog-content"),
  { childList: true, characterData: true, subtree: true },
)
"""


COUNT_CHECKS = """
for (const [event, name] of [["htmx:beforeRequest", "asked"], ["htmx:afterRequest", "failed"]]) {
  let count = 0;
  document.addEventListener(event, ({ detail }) => {
    if (detail.requestConfig.elt.matches("[data-checks]")) document.body.dataset[name] = ++count;
  });
}
"""
HIDDEN = """
let hidden = false;
Object.defineProperty(document, "hidden", { get: () => hidden });
window.hide = (value) => { hidden = value; document.dispatchEvent(new Event("visibilitychange")); };
"""


@pytest.fixture(scope="module")
def api() -> Iterator[FaultyAPI]:
    with serve_faulty() as api:
        yield api


@pytest.fixture(scope="module")
def product(api: FaultyAPI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """With a runs API that ignores keys and loses answers."""
    with Product(tmp_path_factory.mktemp("lost"), RUNS_API_URL=api.server.url) as product:
        yield product


@pytest.fixture(scope="module")
def operator_state(browser: Browser, product: Product) -> StorageState:
    return signed_in_state(browser, product)


@pytest.fixture
def order(api: FaultyAPI) -> Order:
    return api.add(Kind.NO_KEYS, runs=1)


def test_lost_answer_is_looked_for_and_leads_to_the_run(page: Page, order: Order) -> None:
    order.plan = [MADE_LATER]
    dialog = open_dialog(page, order.id)
    start_button(page).click()
    expect(dialog.get_by_text(CHECKING)).to_be_visible()
    expect_run_page(page, 2)
    expect(toast(page, "Run #2 started")).to_be_visible()
    assert len(order.made) == 2


def test_check_page_of_its_own_goes_on_by_itself(page: Page, order: Order) -> None:
    """Where one lands after signing in again, or from the list of attempts."""
    order.plan = [MADE_LATER]
    dialog = open_dialog(page, order.id)
    key = dialog.locator("[name=key]").input_value()
    start_button(page).click()
    expect(dialog.get_by_text(CHECKING)).to_be_visible()
    page.goto(f"/work-orders/{order.id}/trigger/{key}/")
    expect_run_page(page, 2)
    assert len(order.made) == 2


def test_dashboard_that_does_not_answer_the_checks_is_said_once_and_asked_less(
    page: Page, order: Order, expected_errors: list[str]
) -> None:
    expected_errors.append("ERR_CONNECTION_REFUSED|htmx:(afterRequest|sendError)")
    order.plan = [MADE_LATER]
    page.clock.install()
    dialog = open_dialog(page, order.id)
    page.evaluate(COUNT_CHECKS)
    page.route("**/trigger/*/", abort)
    start_button(page).click()
    focused(page, dialog.get_by_role("group", name=NETWORK_ERROR))
    page.clock.pause_at(page.evaluate("Date.now() + 1"))
    link = dialog.get_by_role("link", name="Show the runs")
    link.focus()
    failed = int(page.locator("body").get_attribute("data-failed") or 0)
    page.clock.run_for(3_000)
    expect(page.locator("body")).to_have_attribute("data-failed", str(failed + 1))
    focused(page, link)
    page.clock.run_for(2_900)  # the next is due 3 s after the one that has just failed
    expect(page.locator("body")).to_have_attribute("data-asked", str(failed + 1))


def test_what_cannot_be_found_out_is_said_and_not_tried_again(page: Page, order: Order) -> None:
    order.plan = [NOT_MADE]
    dialog = open_dialog(page, order.id)
    start_button(page).click()
    expect(dialog.get_by_text(NOT_KNOWN)).to_be_visible()
    expect(dialog.get_by_role("button", name="Retry")).to_have_count(0)
    expect(start_button(page)).to_have_count(0)
    dialog.get_by_role("link", name="runs").click()
    expect(page.get_by_role("heading", name="Runs (1)")).to_be_visible()


def test_what_could_not_be_found_out_is_asked_quietly_and_while_it_is_open(
    page: Page, order: Order
) -> None:
    page.clock.install()
    order.plan = [NOT_MADE]
    dialog = open_dialog(page, order.id)
    start_button(page).click()
    expect(dialog.get_by_text(NOT_KNOWN)).to_be_visible()
    link = dialog.get_by_role("link", name="Show the runs")
    link.focus()
    page.evaluate(COUNT_CHANGES)
    for _ in range(2):
        with page.expect_response("**/trigger/*/") as asked:
            page.clock.fast_forward(6_000)
        assert asked.value.status == 204
    focused(page, link)
    assert page.evaluate("changes") == 0

    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    later: list[str] = []
    page.on("request", lambda request: later.append(request.url))
    with page.expect_response(lambda response: "version=" in response.url):
        page.clock.fast_forward(20_000)
    assert not [url for url in later if "/trigger/" in url]


def test_notice_that_could_not_find_out_asks_on_but_not_on_a_hidden_tab(
    page: Page, order: Order
) -> None:
    page.add_init_script(HIDDEN)
    page.clock.install()
    order.plan = [NOT_MADE]
    open_dialog(page, order.id)
    start_button(page).click()
    expect(start_button(page)).to_have_attribute("aria-busy", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#toasts").get_by_text(NOT_KNOWN)).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("hide(true)")
    page.clock.fast_forward(20_000)
    page.evaluate("fetch('/healthz').then(() => {})")  # whatever was asked before it is seen now
    assert not [url for url in asked if url.endswith("/notice/")]
    with page.expect_response("**/notice/") as response:
        page.evaluate("hide(false)")
    assert response.value.status == 204
    with page.expect_response("**/notice/") as response:
        page.clock.fast_forward(6_000)
    assert response.value.status == 204
    expect(page.locator("#toasts").get_by_text(NOT_KNOWN)).to_be_visible()


def test_lost_answer_without_javascript(scriptless_page: Page, order: Order) -> None:
    page = scriptless_page
    order.plan = [MADE_LATER]
    open_work_order(page, order.id)
    trigger_button(page).click()
    start_button(page).click()
    expect(page.get_by_text(CHECKING)).to_be_visible()
    page.get_by_role("button", name="Check now").click()
    expect_run_page(page, 2)
    assert len(order.made) == 2


def test_back_and_sent_again(scriptless_page: Page, order: Order) -> None:
    page = scriptless_page
    open_work_order(page, order.id)
    trigger_button(page).click()
    start_button(page).click()
    expect_run_page(page, 2)
    page.go_back()
    start_button(page).click()
    expect_run_page(page, 2)
    assert len(order.made) == 2


def test_post_sent_again_by_a_reload(
    scriptless_page: Page, order: Order, expected_errors: list[str]
) -> None:
    page = scriptless_page
    expected_errors.append("422")
    order.plan = [faults.BY_ID["429-not-made"], MADE]
    open_work_order(page, order.id)
    trigger_button(page).click()
    start_button(page).click()
    expect(page.get_by_text("Too many requests")).to_be_visible()
    page.reload()
    expect_run_page(page, 2)
    page.reload()
    expect_run_page(page, 2)
    assert len(order.made) == 2


def test_two_tabs_of_one_dialog(scriptless_page: Page, order: Order) -> None:
    """Duplicated by the browser, they have one key."""
    first = scriptless_page
    first.goto(f"/work-orders/{order.id}/trigger/")
    second = first.context.new_page()
    second.goto("/work-orders/")
    second.set_content(first.content())
    start_button(first).click()
    start_button(second).click()
    expect_run_page(first, 2)
    expect_run_page(second, 2)
    assert len(order.made) == 2


def test_two_dialogs_on_purpose_are_two_runs(page: Page, order: Order) -> None:
    other = page.context.new_page()
    open_dialog(page, order.id)
    start_button(page).click()
    expect_run_page(page, 2)
    open_dialog(other, order.id)
    start_button(other).click()
    expect_run_page(other, 3)
    assert len(order.made) == 3
