"""The trigger button's states ("Button States" and "Button Visibility Logic")."""

import re

from playwright.sync_api import Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import (
    expect_never_reloaded,
    focused,
    mark,
    open_work_order,
    seen_requests,
    status,
    trigger_button,
    trigger_dialog,
)


def test_button_visible_on_failed_work_order(page: Page, orders: Orders) -> None:
    """AC7.1."""
    open_work_order(page, orders.failed())
    expect(status(page)).to_have_text("failed")
    expect(trigger_button(page)).to_be_visible()
    expect(trigger_button(page)).to_be_enabled()


def test_button_has_a_refresh_icon(page: Page, orders: Orders) -> None:
    open_work_order(page, orders.create())
    icon = trigger_button(page).locator("svg")
    expect(icon).to_be_visible()
    expect(icon.locator("use")).to_have_attribute("href", "#icon-refresh")


def test_button_hidden_on_succeeded_work_order(page: Page, orders: Orders) -> None:
    """AC7.2."""
    work_order_id = orders.create("passing")
    orders.run_to_the_end(work_order_id)
    open_work_order(page, work_order_id)
    expect(status(page)).to_have_text("succeeded")
    expect(trigger_button(page)).to_have_count(0)


def test_button_hidden_on_cancelled_work_order(page: Page, orders: Orders) -> None:
    work_order_id = orders.create()
    orders.cancel(work_order_id)
    open_work_order(page, work_order_id)
    expect(status(page)).to_have_text("cancelled")
    expect(trigger_button(page)).to_have_count(0)


def test_button_disabled_when_run_active_and_enabled_when_it_ends(
    page: Page, orders: Orders
) -> None:
    """AC7.3."""
    work_order_id, _ = orders.running()
    open_work_order(page, work_order_id)
    mark(page)
    expect(trigger_button(page)).to_be_disabled()
    orders.release(work_order_id)
    expect(trigger_button(page)).to_be_enabled()
    expect(status(page)).to_have_text("failed")
    expect_never_reloaded(page)


def test_disabled_button_is_grayed_out(page: Page, orders: Orders) -> None:
    open_work_order(page, orders.create())
    primary = trigger_button(page).evaluate("button => getComputedStyle(button).backgroundColor")
    open_work_order(page, orders.running()[0])
    expect(trigger_button(page)).to_be_disabled()
    expect(trigger_button(page)).not_to_have_css("background-color", primary)
    expect(trigger_button(page)).to_have_css("cursor", "not-allowed")


def test_disabled_button_tells_its_reason_on_focus(page: Page, orders: Orders) -> None:
    open_work_order(page, orders.running()[0])
    reason = page.get_by_text("Run #1 is in progress, started")
    expect(reason).to_have_css("opacity", "0")
    trigger_button(page).focus()
    focused(page, trigger_button(page))
    expect(reason).to_have_css("opacity", "1")
    expect(trigger_button(page)).to_have_accessible_description(
        re.compile("^Run #1 is in progress")
    )


def test_disabled_button_does_nothing(page: Page, orders: Orders) -> None:
    open_work_order(page, orders.running()[0])
    asked = seen_requests(page, lambda request: "/trigger/" in request.url)
    # Forced: Playwright itself waits for a button that says it is disabled.
    trigger_button(page).click(force=True)
    trigger_button(page).press("Enter")
    expect(trigger_dialog(page)).to_be_hidden()
    assert asked == []


def test_button_on_the_page_of_a_failed_run(page: Page, orders: Orders) -> None:
    work_order_id = orders.create()
    run_id = orders.run_to_the_end(work_order_id)
    page.goto(f"/runs/{run_id}/")
    trigger_button(page).click()
    expect(trigger_dialog(page)).to_contain_text("This will create Run #2")


def test_reason_can_be_hovered_and_sent_away(page: Page, orders: Orders) -> None:
    """WCAG 1.4.13."""
    open_work_order(page, orders.running()[0])
    reason = page.locator("#trigger-run-reason")
    trigger_button(page).hover()
    expect(reason).to_have_css("opacity", "1")
    reason.hover()
    expect(reason).to_have_css("opacity", "1")
    trigger_button(page).hover()
    page.keyboard.press("Escape")
    expect(reason).to_have_css("opacity", "0")
    with page.expect_response("**/*version=*"):  # a refresh is no reason to show it again
        page.evaluate("htmx.trigger('#live', 'refresh')")
    expect(reason).to_have_css("opacity", "0")
    page.mouse.move(0, 0)
    trigger_button(page).hover()
    expect(reason).to_have_css("opacity", "1")
