"""Theme, shortcuts and the help sheet."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import (
    focused,
    max_iterations,
    open_dialog,
    open_work_order,
    trigger_button,
    trigger_dialog,
)

SHEET = "Preferences and shortcuts"


def sheet(page: Page) -> Locator:
    return page.get_by_role("dialog", name=SHEET)


def background(page: Page) -> str:
    colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return colour


def choose(page: Page, theme: str) -> None:
    page.get_by_label(theme).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Preferences saved for this browser")).to_be_visible()


def test_chosen_theme_persists_whatever_the_system_says(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/work-orders/")
    light = background(page)
    page.get_by_role("link", name=SHEET).click()
    choose(page, "Dark")
    expect(page).to_have_url(re.compile("/work-orders/$"))
    dark = background(page)
    assert dark != light
    page.goto("/runs-api/")
    assert background(page) == dark
    page.keyboard.press("?")
    choose(page, "As the system")
    assert background(page) == light


def test_theme_without_javascript(scriptless_page: Page) -> None:
    page = scriptless_page
    page.goto("/work-orders/")
    page.get_by_role("link", name=SHEET).click()
    expect(page.get_by_role("heading", name=SHEET, level=1)).to_be_visible()
    choose(page, "Dark")
    expect(page.locator("html")).to_have_css("color-scheme", "dark")


def test_help_sheet_opens_on_the_question_mark_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/work-orders/")
    page.keyboard.press("?")
    expect(sheet(page)).to_be_visible()
    expect(sheet(page)).to_contain_text("Trigger New Run")
    page.keyboard.press("Escape")
    expect(sheet(page)).to_be_hidden()
    focused(page, page.get_by_role("link", name=SHEET))


def test_t_opens_the_dialog_and_starts_nothing(page: Page, orders: Orders) -> None:
    work_order_id = orders.create()
    open_work_order(page, work_order_id)
    page.keyboard.press("t")
    expect(trigger_dialog(page)).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.press("Escape")
    expect(trigger_dialog(page)).to_be_hidden()
    focused(page, trigger_button(page))
    assert orders.run_numbers(work_order_id) == []


def test_slash_goes_to_the_search_and_u_goes_up(page: Page, orders: Orders) -> None:
    run_id = orders.run_to_the_end(orders.create())
    page.goto(f"/runs/{run_id}/")
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile("/work-orders/[^/]+/$"))
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile("/work-orders/$"))
    page.keyboard.press("/")
    focused(page, page.get_by_label("Search prompt or ID"))


def test_keys_typed_into_a_field_are_no_shortcuts(page: Page, orders: Orders) -> None:
    page.goto("/work-orders/")
    search = page.get_by_label("Search prompt or ID")
    search.press_sequentially("tu?/")
    expect(search).to_have_value("tu?/")
    expect(sheet(page)).to_be_hidden()
    dialog = open_dialog(page, orders.create())
    dialog.get_by_text("Advanced Options").click()
    max_iterations(page).press_sequentially("?")
    expect(max_iterations(page)).to_have_value("?")


@pytest.mark.parametrize("key", ["t", "u", "/", "?"])
def test_switched_off_no_key_does_anything(page: Page, orders: Orders, key: str) -> None:
    """WCAG 2.1.4."""
    page.goto("/preferences/")
    page.get_by_label("Single keys are shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()
    open_work_order(page, orders.create())
    requests: list[str] = []
    page.on(
        "request",
        lambda request: requests.append(request.url) if "/static/" not in request.url else None,
    )
    page.locator("main").focus()
    page.keyboard.press(key)
    page.evaluate("new Promise(requestAnimationFrame)")
    assert requests == []
    focused(page, page.locator("main"))
