"""Signing in and out."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import open_work_order, sign_in, sign_in_by_link
from tests.support.product import Product


def test_link_signs_in_once(stranger_page: Page, product: Product) -> None:
    page = stranger_page
    link = product.manage("sign_in_link", "once", "--base-url", product.url).strip()
    sign_in_by_link(page, link)
    expect(page.get_by_role("heading", name="Work Orders")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto(link)
    expect(page.get_by_text("This sign-in link was used before or is too old.")).to_be_visible()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_every_page_asks_to_sign_in_and_leads_back(
    stranger_page: Page, orders: Orders, account: str
) -> None:
    page = stranger_page
    work_order_id = orders.create()
    open_work_order(page, work_order_id)
    sign_in(page, account)
    expect(page.get_by_role("heading", name=f"Work Order: {work_order_id}")).to_be_visible()


def test_wrong_password_is_said(stranger_page: Page, account: str) -> None:
    page = stranger_page
    page.goto("/sign-in/")
    sign_in(page, account, "wrong")
    expect(page.get_by_role("alert")).to_have_text("The user name and password do not match.")
    expect(page.get_by_label("User name")).to_have_value(account)


def test_signing_in_leads_to_this_site_only(
    stranger_page: Page, product: Product, account: str
) -> None:
    page = stranger_page
    page.goto("/sign-in/?next=//example.com/")
    sign_in(page, account)
    expect(page.get_by_role("heading", name="Work Orders")).to_be_visible()
    assert urlsplit(page.url).netloc == urlsplit(product.url).netloc


def test_sign_out(stranger_page: Page, account: str) -> None:
    page = stranger_page
    page.goto("/sign-in/")
    sign_in(page, account)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/work-orders/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
