"""A dialog that is closed while its start is under way (Submitting → Idle): never silence."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.orders import Orders
from tests.browser.pages import (
    focused,
    max_iterations,
    on_trigger,
    open_dialog,
    run_labels,
    start_button,
    status,
    trigger_button,
    trigger_dialog,
)

CHECKING = "Checking whether your run started…"
EXPECTED = "ERR_FAILED|ERR_CONNECTION_REFUSED|422|409|htmx:(afterRequest|sendError)"


@pytest.fixture(autouse=True)
def _errors(expected_errors: list[str]) -> None:
    expected_errors.append(EXPECTED)


def news(page: Page) -> Locator:
    """The live region of what turns up on an open page."""
    return page.locator("#toasts [role=status]")


def submit(page: Page, work_order_id: str) -> Route:
    """Start Run is pressed; its request is held."""
    open_dialog(page, work_order_id)
    held: list[Route] = []
    on_trigger(page, "POST", held.append)
    start_button(page).click()
    return first(page, held)


def first(page: Page, held: list[Route]) -> Route:
    """The request that is held, once the browser has sent it."""
    while not held:
        page.wait_for_timeout(10)
    return held[0]


def by_cancel(page: Page) -> None:
    cancel = trigger_dialog(page).get_by_role("button", name="Cancel")
    expect(cancel).to_be_enabled()
    cancel.click()


def by_escape(page: Page) -> None:
    page.keyboard.press("Escape")


def by_backdrop(page: Page) -> None:
    page.mouse.click(20, 400)


@pytest.mark.parametrize("close", [by_cancel, by_escape, by_backdrop])
def test_closing_is_at_once_and_the_page_says_that_the_run_started(
    page: Page, orders: Orders, close: Callable[[Page], None]
) -> None:
    work_order_id = orders.create("gated")
    route = submit(page, work_order_id)
    close(page)
    expect(trigger_dialog(page)).to_be_hidden()
    focused(page, trigger_button(page))
    expect(trigger_button(page)).to_have_accessible_name("Trigger New Run")
    expect(news(page)).to_contain_text(CHECKING)
    assert orders.run_numbers(work_order_id) == []

    route.continue_()
    expect(news(page)).to_contain_text("Run #1 started")
    expect(news(page)).not_to_contain_text(CHECKING)
    expect(run_labels(page)).to_have_text(["Run #1"])
    assert orders.run_numbers(work_order_id) == [1]

    # One that begins between the dialog and its answer is not cancelled without asking again.
    orders.wait_for(orders.runs(work_order_id)[0]["id"], {"running"})
    news(page).get_by_role("button", name="Cancel run").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel run").click()
    expect(status(page)).to_have_text("cancelled")


def test_refusal_is_said_with_its_reason(page: Page, orders: Orders) -> None:
    work_order_id = orders.create("gated")
    route = submit(page, work_order_id)
    by_escape(page)
    run_id = orders.trigger(work_order_id)
    orders.wait_for(run_id, {"running"})
    route.continue_()
    expect(news(page)).to_contain_text(
        "The run was not started. A run is already in progress for this work order."
    )
    expect(news(page).get_by_role("link", name="View Run #1")).to_be_visible()
    page.reload()
    expect(page.locator("#toasts")).to_have_text("")
    assert orders.run_numbers(work_order_id) == [1]


def test_options_that_are_not_accepted_are_the_reason(page: Page, orders: Orders) -> None:
    work_order_id = orders.create()
    open_dialog(page, work_order_id).get_by_text("Advanced Options").click()
    max_iterations(page).fill("1_0")
    held: list[Route] = []
    on_trigger(page, "POST", held.append)
    start_button(page).click()
    route = first(page, held)
    by_cancel(page)
    expect(trigger_dialog(page)).to_be_hidden()  # what was sent is not asked about
    route.continue_()
    expect(news(page)).to_contain_text("The run was not started.")
    expect(news(page)).to_contain_text("Enter a whole number from 1 to 100.")
    assert orders.run_numbers(work_order_id) == []


def test_response_that_is_lost_is_looked_for(page: Page, orders: Orders) -> None:
    work_order_id = orders.create("gated")
    route = submit(page, work_order_id)
    by_escape(page)
    route.fetch()
    route.abort()
    expect(news(page)).to_contain_text("Run #1 started")
    assert orders.run_numbers(work_order_id) == [1]


def test_form_that_never_arrived_starts_nothing_also_when_it_arrives_late(
    page: Page, orders: Orders
) -> None:
    work_order_id = orders.create()
    route = submit(page, work_order_id)
    body, headers = route.request.post_data or "", route.request.headers
    by_escape(page)
    route.abort()
    expect(news(page)).to_contain_text("The run was not started.")
    late = page.context.request.post(route.request.url, data=body, headers=headers)
    assert late.status == 409
    assert orders.run_numbers(work_order_id) == []


def test_dialog_opened_again_is_left_alone_and_hears_of_the_start(
    page: Page, orders: Orders
) -> None:
    work_order_id = orders.create("gated")
    route = submit(page, work_order_id)
    by_cancel(page)
    trigger_button(page).click()
    dialog = trigger_dialog(page)
    dialog.get_by_text("Advanced Options").click()
    max_iterations(page).fill("7")
    route.continue_()
    expect(dialog).to_contain_text("Run #1 is its newest run now", use_inner_text=True)
    expect(dialog.get_by_role("status")).to_contain_text("Run #1 is its newest run now")
    expect(max_iterations(page)).to_have_value("7")
    focused(page, max_iterations(page))
    assert orders.run_numbers(work_order_id) == [1]


def test_page_that_is_left_meanwhile_tells_on_the_next(page: Page, orders: Orders) -> None:
    work_order_id = orders.create()
    submit(page, work_order_id)
    by_escape(page)
    expect(news(page)).to_contain_text(CHECKING)
    page.goto("/work-orders/")
    expect(news(page)).to_contain_text("The run was not started.")
    page.reload()
    expect(news(page)).to_have_text("")
    assert orders.run_numbers(work_order_id) == []


def test_two_starts_that_are_left_are_both_told_on_the_next_page(
    page: Page, orders: Orders
) -> None:
    work_order_id = orders.create()
    submit(page, work_order_id)
    by_escape(page)
    trigger_button(page).click()
    start_button(page).click()
    expect(start_button(page)).to_have_attribute("aria-busy", "true")
    by_escape(page)
    expect(news(page).get_by_text(CHECKING)).to_have_count(2)
    page.goto("/work-orders/")
    expect(news(page).get_by_text("The run was not started.")).to_have_count(2)
    page.reload()
    expect(news(page)).to_have_text("")
    assert orders.run_numbers(work_order_id) == []


def test_dialog_that_is_a_page_of_its_own(page: Page, orders: Orders) -> None:
    work_order_id = orders.create("gated")
    page.goto(f"/work-orders/{work_order_id}/trigger/")

    def lose_the_response(route: Route) -> None:
        route.fetch()
        page.get_by_role("link", name="Cancel").click(no_wait_after=True)

    on_trigger(page, "POST", lose_the_response)
    start_button(page).click()
    expect(page).to_have_url(re.compile(f"/work-orders/{work_order_id}/$"))
    expect(news(page)).to_contain_text("Run #1 started")
    assert orders.run_numbers(work_order_id) == [1]
