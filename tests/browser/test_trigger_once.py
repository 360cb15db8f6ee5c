"""One opened dialog starts one run, however often it is sent."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Playwright, StorageState, expect

from tests.browser.conftest import page_without_errors
from tests.browser.orders import Orders
from tests.browser.pages import (
    expect_run_page,
    max_iterations,
    open_dialog,
    open_work_order,
    run_labels,
    start_button,
    status,
    trigger_button,
    trigger_dialog,
)
from tests.support.chromium import launch_options
from tests.support.product import Product


@pytest.fixture
def remembering_page(
    playwright: Playwright,
    product: Product,
    operator_state: StorageState,
    expected_errors: list[str],
) -> Iterator[Page]:
    """In a browser that keeps left pages alive, as they all do outside of tests."""
    browser = playwright.chromium.launch(
        **launch_options(playwright), ignore_default_args=["--disable-back-forward-cache"]
    )
    context = browser.new_context(base_url=product.url, storage_state=operator_state)
    yield from page_without_errors(context, expected_errors)
    browser.close()


def test_back_after_success_shows_no_dialog_and_starts_nothing(page: Page, orders: Orders) -> None:
    work_order_id = orders.create("gated")
    open_dialog(page, work_order_id)
    start_button(page).click()
    expect_run_page(page, 1)
    page.go_back()
    expect(page.get_by_role("heading", name="Runs (1)")).to_be_visible()
    expect(trigger_dialog(page)).to_be_hidden()
    assert orders.run_numbers(work_order_id) == [1]


def test_back_to_a_page_kept_alive_does_not_show_the_used_dialog(
    remembering_page: Page, orders: Orders
) -> None:
    page = remembering_page
    open_dialog(page, orders.create("failing"))
    start_button(page).click()
    expect_run_page(page, 1)
    expect(status(page)).to_have_text("failed")
    page.evaluate("history.back()")
    expect(run_labels(page)).to_have_text(["Run #1"])
    expect(trigger_dialog(page)).to_be_hidden()
    trigger_button(page).click()
    expect(trigger_dialog(page)).to_contain_text("This will create Run #2")


def test_form_sent_again_without_javascript_leads_to_the_same_run(
    scriptless_page: Page, orders: Orders
) -> None:
    page = scriptless_page
    work_order_id = orders.failed()
    open_work_order(page, work_order_id)
    trigger_button(page).click()
    start_button(page).click()
    expect_run_page(page, 2)
    first_url = page.url
    page.go_back()
    start_button(page).click()
    expect(page).to_have_url(first_url)
    assert orders.run_numbers(work_order_id) == [2, 1]


def test_double_enter_in_a_field_starts_one_run(page: Page, orders: Orders) -> None:
    work_order_id = orders.create()
    open_dialog(page, work_order_id).get_by_text("Advanced Options").click()
    max_iterations(page).fill("2")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect_run_page(page, 1)
    assert orders.run_numbers(work_order_id) == [1]


def test_double_click_without_scripts_starts_one_run(scriptless_page: Page, orders: Orders) -> None:
    """Both are sent: the browser gives up the first for the second."""
    page, work_order_id = scriptless_page, orders.create()
    open_work_order(page, work_order_id)
    trigger_button(page).click()
    start_button(page).dblclick()
    expect_run_page(page, 1)
    assert orders.run_numbers(work_order_id) == [1]
