"""The session ends while a dialog is open: it comes back as it was, and nothing was started."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import opened_page
from tests.browser.orders import Orders
from tests.browser.pages import (
    expect_run_page,
    focused,
    max_iterations,
    on_trigger,
    open_work_order,
    overrides,
    sign_in,
    start_button,
    trigger_button,
)
from tests.support.product import Product

ENDED = "Your session had ended, so nothing was started. Check and press Start Run."
ONE_MINUTE = 60_000  # of the page's own clock
DELETE_SESSION = """
from workorders.accounts.models import Session
assert Session.objects.filter(session_key={!r}).delete()[0] == 1
"""


@pytest.fixture(params=["scripts", "no scripts"])
def page(
    request: pytest.FixtureRequest,
    browser: Browser,
    product: Product,
    account: str,
    expected_errors: list[str],
) -> Iterator[Page]:
    """Somebody who has signed in by password, with JavaScript and without."""
    scripts = request.param == "scripts"
    for page in opened_page(browser, product, expected_errors, java_script_enabled=scripts):
        page.goto("/sign-in/")
        sign_in(page, account)
        expect(page.get_by_role("heading", name="Work Orders")).to_be_visible()
        yield page


def end_session(page: Page, product: Product) -> None:
    """As when it has grown too old."""
    keys = [c["value"] for c in page.context.cookies() if c.get("name") == "sessionid"]
    product.manage("shell", "--no-imports", "-c", DELETE_SESSION.format(keys[0]))


def open_and_type(page: Page, work_order_id: str) -> None:
    open_work_order(page, work_order_id)
    trigger_button(page).click()
    expect(start_button(page)).to_be_visible()
    page.get_by_text("Advanced Options").click()
    max_iterations(page).fill("7")
    page.get_by_label("Profile", exact=True).select_option("passing")


def expect_dialog_as_it_was(page: Page) -> None:
    notice = page.get_by_text(ENDED)
    expect(notice).to_be_visible()
    expect(max_iterations(page)).to_be_visible()
    expect(max_iterations(page)).to_have_value("7")
    expect(page.get_by_label("Profile", exact=True)).to_have_value("passing")


def test_dialog_comes_back_and_starts_one_run_when_pressed(
    page: Page, orders: Orders, product: Product, account: str
) -> None:
    work_order_id = orders.create()
    open_and_type(page, work_order_id)
    end_session(page, product)
    start_button(page).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert orders.run_numbers(work_order_id) == []

    sign_in(page, account)
    expect_dialog_as_it_was(page)
    focused(page, page.get_by_role("group", name="Your session had ended"))
    assert orders.run_numbers(work_order_id) == []

    start_button(page).click()
    expect_run_page(page, 1)
    expect(overrides(page)).to_contain_text("Max Iterations 7")
    expect(overrides(page)).to_contain_text("Profile passing")
    assert orders.run_numbers(work_order_id) == [1]


@pytest.mark.parametrize("page", ["scripts"], indirect=True)
def test_open_dialog_outlives_the_refresh_of_the_page_behind_it(
    page: Page, orders: Orders, product: Product, account: str
) -> None:
    work_order_id = orders.create()
    page.clock.install()
    open_and_type(page, work_order_id)
    end_session(page, product)
    with page.expect_response(lambda response: "version=" in response.url) as refresh:
        page.clock.fast_forward(ONE_MINUTE)
    assert refresh.value.headers["hx-redirect"]
    with page.expect_response("**/runs-api/banner/**") as banner:
        page.evaluate("htmx.trigger('#runs-api-banner', 'look')")
    assert banner.value.headers["hx-redirect"]
    expect(max_iterations(page)).to_have_value("7")

    start_button(page).click()
    sign_in(page, account)
    expect_dialog_as_it_was(page)


@pytest.mark.parametrize("page", ["scripts"], indirect=True)
def test_start_that_was_left_is_its_dialog_s_again(
    page: Page, orders: Orders, product: Product, account: str
) -> None:
    """Closed while its form was under way: that form is not withdrawn behind the dialog's back."""
    work_order_id = orders.create()
    open_and_type(page, work_order_id)
    end_session(page, product)
    held: list[Route] = []
    on_trigger(page, "POST", held.append)
    start_button(page).click()
    while not held:
        page.wait_for_timeout(10)
    page.keyboard.press("Escape")
    sign_in(page, account)
    expect_dialog_as_it_was(page)
    expect(page.locator("#new-toasts")).to_have_text("")
    page.unroute_all()
    start_button(page).click()
    expect_run_page(page, 1)
    assert orders.run_numbers(work_order_id) == [1]


@pytest.mark.parametrize("page", ["scripts"], indirect=True)
def test_closed_dialog_does_not_hold_the_page_back(
    page: Page, orders: Orders, product: Product
) -> None:
    page.clock.install()
    open_and_type(page, orders.create())
    end_session(page, product)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Close").click()  # and lose what was typed
    page.clock.fast_forward(ONE_MINUTE)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_dialog_of_an_older_session_comes_back(page: Page, orders: Orders, account: str) -> None:
    """Signed out and in again in another tab: the form's CSRF token is of the old session."""
    work_order_id = orders.create()
    open_and_type(page, work_order_id)
    other = page.context.new_page()
    other.goto("/work-orders/")
    other.get_by_role("button", name="Sign out").click()
    sign_in(other, account)
    expect(other.get_by_role("heading", name="Work Orders")).to_be_visible()

    start_button(page).click()
    expect_dialog_as_it_was(page)
    assert orders.run_numbers(work_order_id) == []
    start_button(page).click()
    expect_run_page(page, 1)
    assert orders.run_numbers(work_order_id) == [1]
