"""While the answer is awaited (F7.4), and when the dashboard gives none (NETWORK_ERROR)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Route, expect

from tests.browser.orders import Orders
from tests.browser.pages import (
    NETWORK_ERROR,
    abort,
    expect_run_page,
    focused,
    is_trigger,
    max_iterations,
    on_trigger,
    open_dialog,
    open_work_order,
    overrides,
    seen_triggers,
    start_button,
    toast,
    trigger_button,
    trigger_dialog,
)

EXPECTED = "ERR_CONNECTION_REFUSED|ERR_FAILED|htmx:(afterRequest|sendError)"


@contextmanager
def held_answer(page: Page) -> Iterator[None]:
    """Requests to start a run are under way for as long as this lasts."""
    held: list[Route] = []
    on_trigger(page, "POST", held.append)
    yield
    for route in held:
        route.continue_()


def test_loading_state_shown(page: Page, orders: Orders) -> None:
    """AC7.8."""
    open_dialog(page, orders.create())
    button = start_button(page)
    with held_answer(page):
        button.click()
        expect(button).to_have_attribute("aria-busy", "true")
        expect(button).to_have_text(re.compile("Triggering..."), use_inner_text=True)
        expect(button).not_to_contain_text("Start Run", use_inner_text=True)
        spinner = button.locator("svg")
        expect(spinner).to_be_visible()
        expect(spinner).to_have_css("animation-name", "spin")
    expect_run_page(page, 1)


def test_no_second_request_while_the_first_is_under_way(page: Page, orders: Orders) -> None:
    work_order_id = orders.create()
    open_dialog(page, work_order_id)
    triggers = seen_triggers(page)
    with held_answer(page):
        start_button(page).click()
        expect(start_button(page)).to_have_attribute("aria-busy", "true")
        start_button(page).click(force=True)
        start_button(page).press("Enter")
    expect_run_page(page, 1)
    assert len(triggers) == 1


def test_double_click_on_start_run_starts_one_run(page: Page, orders: Orders) -> None:
    work_order_id = orders.create()
    open_dialog(page, work_order_id)
    start_button(page).dblclick()
    expect_run_page(page, 1)
    assert orders.run_numbers(work_order_id) == [1]


def test_dashboard_that_does_not_answer_keeps_the_dialog_open_for_retry(
    page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    """NETWORK_ERROR: keep dialog open; "Network errors: Show retry button in dialog"."""
    expected_errors.append(EXPECTED)
    work_order_id = orders.create()
    dialog = open_dialog(page, work_order_id)
    dialog.get_by_text("Advanced Options").click()
    max_iterations(page).fill("6")
    on_trigger(page, "POST", abort)
    page.keyboard.press("Escape")
    expect(dialog.get_by_text("Close and lose what you typed?")).to_be_visible()
    max_iterations(page).press("Enter")  # sends the form, and so answers the question

    expect(dialog.get_by_text("Close and lose what you typed?")).to_be_hidden()
    notice = dialog.get_by_role("group", name=NETWORK_ERROR)
    expect(notice).to_contain_text("it never starts a second one", use_inner_text=True)
    focused(page, notice)
    expect(max_iterations(page)).to_have_value("6")

    page.unroute_all()
    dialog.get_by_role("button", name="Retry").click()
    expect_run_page(page, 1)
    expect(overrides(page)).to_have_text("Max Iterations 6")
    assert orders.run_numbers(work_order_id) == [1]


def test_answer_that_got_lost_is_found_by_retry(
    page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    """The run was started, only nobody heard of it: there must not be a second one."""
    expected_errors.append(EXPECTED)

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        page.context.clear_cookies(name="messages")  # it came with the answer
        route.abort()

    work_order_id = orders.create("gated")
    dialog = open_dialog(page, work_order_id)
    on_trigger(page, "POST", lose_the_answer)
    start_button(page).click()
    expect(dialog.get_by_text(NETWORK_ERROR)).to_be_visible()
    page.unroute_all()
    dialog.get_by_role("button", name="Retry").click()
    expect_run_page(page, 1)
    expect(toast(page, "Run #1 started")).to_be_visible()
    assert orders.run_numbers(work_order_id) == [1]


def test_failure_of_the_dashboard_itself_is_not_called_a_lost_connection(
    page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    """UNKNOWN: "An unexpected error occurred", keep dialog open."""
    expected_errors.append("500")
    dialog = open_dialog(page, orders.create())
    on_trigger(page, "POST", lambda route: route.fulfill(status=500, body="broken"))
    start_button(page).click()
    notice = dialog.get_by_role("group", name="An unexpected error occurred")
    expect(notice).not_to_contain_text("Could not connect", use_inner_text=True)


def test_dialog_that_cannot_be_loaded_says_so_and_opens_later(
    page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    expected_errors.append(EXPECTED)
    open_work_order(page, orders.create())
    on_trigger(page, "GET", abort)
    trigger_button(page).click()
    expect(toast(page, NETWORK_ERROR)).to_be_visible()
    expect(trigger_dialog(page)).to_be_hidden()
    page.unroute_all()
    trigger_button(page).click()
    expect(trigger_dialog(page)).to_be_visible()


def test_buttons_keep_their_width_while_they_work(page: Page, orders: Orders) -> None:
    open_dialog(page, orders.create())
    width = "button => button.getBoundingClientRect().width"
    buttons = (start_button(page), page.locator("#trigger-run-button"))
    before = [button.evaluate(width) for button in buttons]
    with held_answer(page):
        start_button(page).click()
        expect(start_button(page)).to_have_attribute("aria-busy", "true")
        assert [button.evaluate(width) for button in buttons] == before
    expect_run_page(page, 1)


def test_loading_the_dialog_is_not_called_triggering(page: Page, orders: Orders) -> None:
    open_work_order(page, orders.create())
    held: list[Route] = []
    on_trigger(page, "GET", held.append)
    button = trigger_button(page)
    with page.expect_request(lambda request: is_trigger(request, "GET")):
        button.click()
    expect(button).to_have_text("Trigger New Run", use_inner_text=True)
    held[0].continue_()
    expect(trigger_dialog(page)).to_be_visible()


def test_toast_is_seen_wherever_the_page_is_scrolled(
    phone_page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    expected_errors.append(EXPECTED)
    open_work_order(phone_page, orders.find("Make the discount test pass"))
    phone_page.evaluate("scrollTo(0, document.body.scrollHeight)")
    on_trigger(phone_page, "GET", abort)
    trigger_button(phone_page).tap()
    expect(toast(phone_page, NETWORK_ERROR)).to_be_in_viewport()
