"""Pages that wait for something go on without JavaScript, and can be told not to."""

import re

from playwright.sync_api import Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import status


def test_active_run_is_followed(scriptless_page: Page, orders: Orders) -> None:
    page = scriptless_page
    work_order_id, run_id = orders.running()
    page.goto(f"/runs/{run_id}/")
    expect(status(page)).to_have_text("running")
    orders.release(work_order_id)
    expect(status(page)).to_have_text("failed")
    expect(page.get_by_text("This page loads itself again")).to_have_count(0)


def test_loading_again_can_be_stopped(scriptless_page: Page, orders: Orders) -> None:
    """WCAG 2.2.1 and 2.2.2."""
    page = scriptless_page
    work_order_id, _ = orders.running()
    page.goto(f"/work-orders/{work_order_id}/")
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(1)
    page.get_by_role("link", name="Stop that").click()
    expect(page.get_by_role("link", name="Load again every 5 seconds")).to_be_visible()
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)
    orders.release(work_order_id)
    orders.wait_for(orders.runs(work_order_id)[0]["id"], {"failed"})
    expect(status(page)).to_have_text("running")
    page.get_by_role("link", name="Refresh").click()
    expect(page).to_have_url(re.compile("still=1"))
    expect(status(page)).to_have_text("failed")


def test_idle_page_is_refreshed_by_hand(scriptless_page: Page, orders: Orders) -> None:
    page = scriptless_page
    page.goto(f"/work-orders/{orders.failed()}/")
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)
    page.get_by_role("link", name="Refresh").click()
    expect(status(page)).to_have_text("failed")


def test_with_scripts_none_of_it_is_there(page: Page, orders: Orders) -> None:
    work_order_id, _ = orders.running()
    page.goto(f"/work-orders/{work_order_id}/")
    expect(page.get_by_role("link", name="Refresh")).to_have_count(0)
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)
