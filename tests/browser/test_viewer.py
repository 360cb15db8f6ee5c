"""A viewer sees everything and starts nothing."""

import uuid
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.conftest import opened_page
from tests.browser.orders import Orders
from tests.browser.pages import (
    log,
    open_work_order,
    run_labels,
    sign_in_by_link,
    status,
    trigger_button,
)
from tests.support.product import Product


@pytest.fixture(scope="module")
def viewer_link(product: Product) -> str:
    arguments = ("viewer-name", "--viewer", "--base-url", product.url)
    return product.manage("sign_in_link", *arguments).strip()


@pytest.fixture(scope="module")
def viewer_state(browser: Browser, viewer_link: str) -> StorageState:
    context = browser.new_context()
    sign_in_by_link(context.new_page(), viewer_link)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def viewer_page(
    browser: Browser, product: Product, viewer_state: StorageState, expected_errors: list[str]
) -> Iterator[Page]:
    yield from opened_page(browser, product, expected_errors, storage_state=viewer_state)


def test_viewer_sees_everything_but_the_button(viewer_page: Page, orders: Orders) -> None:
    page = viewer_page
    work_order_id = orders.failed()
    page.goto("/work-orders/")
    page.locator(f"#work-order-{work_order_id}").click()
    expect(status(page)).to_have_text("failed")
    expect(trigger_button(page)).to_have_count(0)
    run_labels(page).click()
    expect(log(page)).to_contain_text("Attempt 1")
    expect(trigger_button(page)).to_have_count(0)


def test_viewer_may_not_open_the_dialog_by_its_address(
    viewer_page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    expected_errors.append("403")
    answer = viewer_page.goto(f"/work-orders/{orders.create()}/trigger/")
    assert answer
    assert answer.status == 403
    expect(viewer_page.get_by_role("heading", name="Not allowed")).to_be_visible()


def test_viewer_cannot_start_a_run(viewer_page: Page, orders: Orders) -> None:
    page = viewer_page
    work_order_id = orders.create()
    open_work_order(page, work_order_id)
    token = page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    form: dict[str, str | float | bool] = {"csrfmiddlewaretoken": token, "key": str(uuid.uuid4())}
    answer = page.request.post(f"/work-orders/{work_order_id}/trigger/", form=form)
    assert answer.status == 403
    assert orders.run_numbers(work_order_id) == []
