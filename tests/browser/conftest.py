"""A real browser on the real product: one of each for all the tests of this folder.

Everything shared lives as long as the folder's tests, not as the session:
Playwright keeps an event loop running in the thread, where Django then
refuses to use its database.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    StorageState,
    expect,
    sync_playwright,
)

from tests.browser.orders import Orders
from tests.browser.pages import PASSWORD, sign_in_by_link
from tests.scenes.environment import Stage
from tests.scenes.window import DESKTOP, PHONE
from tests.support.chromium import launch_options
from tests.support.product import Product

ADD_ACCOUNT = f"""
from django.contrib.auth.models import User
from workorders.accounts.users import ensure_account
user = ensure_account("alex", can_trigger=True)
user.set_password({PASSWORD!r})
user.save()
"""

# Far more than anything takes: a slow machine must not fail a test.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(**launch_options(playwright))
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """With the embedded runs API, two workers and the example work orders."""
    with Product(tmp_path_factory.mktemp("product")) as product:
        yield product


@pytest.fixture(scope="package")
def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Where scenes are shown: with products of its own, whose runs API does as a scene says."""
    with Stage(browser, tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="package")
def all_orders(product: Product) -> Iterator[Orders]:
    with Orders(product) as orders:
        orders.prepare()
        yield orders


@pytest.fixture
def orders(all_orders: Orders) -> Iterator[Orders]:
    """Makes this test's work orders; both workers are free when it starts."""
    with all_orders.cleaned_up():
        yield all_orders


@pytest.fixture(scope="package")
def operator_state(browser: Browser, product: Product) -> StorageState:
    return signed_in_state(browser, product)


@pytest.fixture(scope="package")
def account(product: Product) -> str:
    """The name of an operator with ``PASSWORD``."""
    product.manage("shell", "--no-imports", "-c", ADD_ACCOUNT)
    return "alex"


@pytest.fixture
def expected_errors() -> list[str]:
    """Patterns of console errors that a test provokes: it appends, e.g. ``"422"``."""
    return []


@pytest.fixture
def page(
    browser: Browser, product: Product, operator_state: StorageState, expected_errors: list[str]
) -> Iterator[Page]:
    """A signed-in operator at a desk."""
    yield from opened_page(browser, product, expected_errors, storage_state=operator_state)


@pytest.fixture
def phone_page(
    browser: Browser, product: Product, operator_state: StorageState, expected_errors: list[str]
) -> Iterator[Page]:
    """A signed-in operator on a phone."""
    phone: dict[str, Any] = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    yield from opened_page(browser, product, expected_errors, storage_state=operator_state, **phone)


@pytest.fixture
def scriptless_page(
    browser: Browser, product: Product, operator_state: StorageState, expected_errors: list[str]
) -> Iterator[Page]:
    """A signed-in operator whose browser runs no JavaScript."""
    options: dict[str, Any] = {"storage_state": operator_state, "java_script_enabled": False}
    yield from opened_page(browser, product, expected_errors, **options)


@pytest.fixture
def stranger_page(browser: Browser, product: Product, expected_errors: list[str]) -> Iterator[Page]:
    """Nobody has signed in here yet."""
    yield from opened_page(browser, product, expected_errors)


def signed_in_state(browser: Browser, product: Product) -> StorageState:
    """The cookies of an operator who followed the printed link."""
    context = browser.new_context()
    sign_in_by_link(context.new_page(), product.sign_in_link)
    state = context.storage_state()
    context.close()
    return state


def opened_page(
    browser: Browser, product: Product, expected: list[str], **options: Any
) -> Iterator[Page]:
    """A new browser window on the product, at a desk unless told otherwise."""
    options.setdefault("viewport", DESKTOP)
    context = browser.new_context(base_url=product.url, **options)
    yield from page_without_errors(context, expected)


def page_without_errors(context: BrowserContext, expected: list[str]) -> Iterator[Page]:
    """A page whose test fails when a script throws or the console shows an error.

    Violations of the Content-Security-Policy are console errors too.
    """
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    yield context.new_page()
    context.close()
    unexpected = [e for e in errors if not any(re.search(pattern, e) for pattern in expected)]
    assert unexpected == []
