"""E2E "Full trigger flow" and "Multiple runs", with every way of using a browser."""

import re

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.browser.orders import PROMPT, Orders
from tests.browser.pages import (
    expect_never_reloaded,
    expect_run_page,
    focused,
    log,
    mark,
    max_iterations,
    open_work_order,
    overrides,
    run_labels,
    start_button,
    status,
    toast,
    trigger_button,
    trigger_dialog,
)
from tests.scenes.window import DESKTOP, PHONE

at_both_widths = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1280 px", "375 px"])


def tab_to(page: Page, element: Locator) -> None:
    """Tab from wherever the focus is to ``element``, as somebody without a mouse does."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if element.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("Tab never reaches this element")


def test_full_trigger_flow_by_mouse(page: Page, orders: Orders) -> None:
    work_order_id = orders.failed("retry")
    page.goto("/work-orders/?status=failed")
    page.locator(f"#work-order-{work_order_id}").click()
    expect(status(page)).to_have_text("failed")

    trigger_button(page).click()  # AC7.4
    expect(trigger_dialog(page)).to_be_visible()
    start_button(page).click()  # AC7.7

    expect_run_page(page, 2)  # AC7.9
    expect(toast(page, "Run #2 started")).to_be_visible()
    mark(page)
    expect(status(page)).to_have_text("succeeded")
    expect(page).to_have_title(re.compile("^Run #2 succeeded"))
    expect(page.get_by_role("heading", name="Iterations (1)")).to_be_visible()
    expect(page.get_by_text("Verification passed")).to_be_visible()
    expect(log(page)).to_contain_text("Attempt 1 of run 2")
    expect(log(page)).to_contain_text("Run succeeded")
    expect_never_reloaded(page)

    page.get_by_role("link", name=f"Work Order: {work_order_id}").click()
    expect(status(page)).to_have_text("succeeded")
    expect(run_labels(page)).to_have_text(["Run #2", "Run #1"])


def test_full_trigger_flow_by_touch_at_375_px(phone_page: Page, orders: Orders) -> None:
    """AC7.12."""
    page = phone_page
    work_order_id = orders.failed("retry")
    page.goto("/work-orders/")
    page.tap(f"#work-order-{work_order_id}")

    trigger_button(page).tap()
    expect(trigger_dialog(page)).to_be_visible()
    trigger_dialog(page).get_by_text("Advanced Options").tap()
    max_iterations(page).tap()
    max_iterations(page).fill("4")
    start_button(page).tap()

    expect_run_page(page, 2)
    expect(toast(page, "Run #2 started")).to_be_visible()
    expect(overrides(page)).to_have_text("Max Iterations 4")
    expect(status(page)).to_have_text("succeeded")


@at_both_widths
def test_full_trigger_flow_by_keyboard_alone(
    page: Page, orders: Orders, viewport: ViewportSize
) -> None:
    """AC7.11, N7.2 and every row of "Keyboard Accessibility"."""
    page.set_viewport_size(viewport)
    work_order_id = orders.failed("retry")
    page.goto("/work-orders/")
    tab_to(page, page.locator(f"#work-order-{work_order_id}"))
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("failed")

    button = trigger_button(page)
    tab_to(page, button)
    page.keyboard.press("Enter")
    focused(page, start_button(page))
    page.keyboard.press("Escape")
    expect(trigger_dialog(page)).to_be_hidden()
    focused(page, button)

    page.keyboard.press("Space")
    focused(page, start_button(page))
    page.keyboard.press("Shift+Tab")
    focused(page, page.get_by_role("button", name="Cancel"))
    page.keyboard.press("Shift+Tab")
    focused(page, page.locator("summary", has_text="Advanced Options"))
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    focused(page, max_iterations(page))
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    focused(page, page.get_by_label("Profile"))
    tab_to(page, start_button(page))
    page.keyboard.press("Enter")

    expect_run_page(page, 2)
    expect(overrides(page)).to_have_text("Max Iterations 3")
    expect(status(page)).to_have_text("succeeded")


def test_enter_in_a_field_starts_the_run_with_what_was_typed(page: Page, orders: Orders) -> None:
    open_work_order(page, orders.create())
    trigger_button(page).click()
    page.get_by_text("Advanced Options").click()
    max_iterations(page).fill("2")
    max_iterations(page).press("Enter")
    expect_run_page(page, 1)
    expect(overrides(page)).to_have_text("Max Iterations 2")


@at_both_widths
def test_full_trigger_flow_without_javascript(
    scriptless_page: Page, orders: Orders, expected_errors: list[str], viewport: ViewportSize
) -> None:
    expected_errors.append("422")
    page = scriptless_page
    page.set_viewport_size(viewport)
    work_order_id = orders.failed("retry")
    page.goto("/work-orders/")
    page.locator(f"#work-order-{work_order_id}").click()
    trigger_button(page).click()
    expect(page.get_by_role("heading", name="Trigger New Run")).to_be_visible()
    expect(page.get_by_text(PROMPT)).to_be_visible()

    page.get_by_role("link", name="Cancel").click()
    expect(status(page)).to_have_text("failed")
    trigger_button(page).click()

    page.get_by_text("Advanced Options").click()
    max_iterations(page).fill("101")
    start_button(page).click()
    expect(page.get_by_text("Enter a whole number from 1 to 100.")).to_be_visible()
    expect(max_iterations(page)).to_have_value("101")

    max_iterations(page).fill("5")
    start_button(page).click()
    expect_run_page(page, 2)
    expect(toast(page, "Run #2 started")).to_be_visible()
    expect(overrides(page)).to_have_text("Max Iterations 5")
    assert orders.run_numbers(work_order_id) == [2, 1]


def test_the_dialog_page_without_javascript_says_what_stands_in_the_way(
    scriptless_page: Page, orders: Orders
) -> None:
    page = scriptless_page
    work_order_id, _ = orders.running()
    open_work_order(page, work_order_id)
    trigger_button(page).click(force=True)
    focused(
        page, page.get_by_role("group", name="A run is already in progress for this work order")
    )
    expect(start_button(page)).to_have_count(0)
    page.get_by_role("link", name="View Run #1").click()
    expect_run_page(page, 1)


def test_multiple_runs(page: Page, orders: Orders) -> None:
    """E2E "Multiple runs": trigger multiple, from the work order and from a run's page."""
    work_order_id = orders.failed()
    open_work_order(page, work_order_id)
    for number in (2, 3):
        trigger_button(page).click()
        expect(page.get_by_text(f"This will create Run #{number} ")).to_be_visible()
        start_button(page).click()
        expect_run_page(page, number)
        expect(status(page)).to_have_text("failed")
    open_work_order(page, work_order_id)
    expect(page.get_by_role("heading", name="Runs (3)")).to_be_visible()
    expect(run_labels(page)).to_have_text(["Run #3", "Run #2", "Run #1"])


def test_a_run_that_must_wait_says_so_and_goes_on_by_itself(page: Page, orders: Orders) -> None:
    """F7.8 and CAPACITY_EXCEEDED: both workers are busy."""
    busy = [orders.running()[0], orders.running()[0]]
    open_work_order(page, orders.create("passing"))
    trigger_button(page).click()
    start_button(page).click()

    expect_run_page(page, 1)
    message = "Server at capacity. Your run has been queued. Position in the queue: 1."
    expect(toast(page, message)).to_be_visible()
    expect(page.get_by_text("1st in the queue, 2 of 2 slots busy.")).to_be_visible()
    for work_order_id in busy:
        orders.release(work_order_id)
    expect(status(page)).to_have_text("succeeded", timeout=30_000)
