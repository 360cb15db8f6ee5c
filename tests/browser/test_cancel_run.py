"""Cancelling from the run's page: said, confirmed, carried out."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import RUN_PATH, focused, seen_requests, status, toast
from tests.scenes.window import PHONE


def cancel_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Cancel run")


def cancel_dialog(page: Page, number: int = 1) -> Locator:
    return page.get_by_role("dialog", name=f"Cancel Run #{number}")


def open_dialog(page: Page, run_id: str) -> Locator:
    page.goto(f"/runs/{run_id}/")
    cancel_button(page).click()
    dialog = cancel_dialog(page)
    expect(dialog).to_be_visible()
    return dialog


def test_active_run_is_cancelled(page: Page, orders: Orders) -> None:
    _, run_id = orders.running()
    dialog = open_dialog(page, run_id)
    expect(dialog).to_contain_text("Only this run is cancelled.")
    dialog.get_by_role("button", name="Cancel run").click()
    expect(toast(page, "Run #1")).to_contain_text("cancelled")
    expect(status(page)).to_have_text("cancelled")
    expect(cancel_button(page)).to_have_count(0)


def test_run_is_cancelled_without_javascript(scriptless_page: Page, orders: Orders) -> None:
    page = scriptless_page
    _, run_id = orders.running()
    page.goto(f"/runs/{run_id}/")
    cancel_button(page).click()
    expect(page.get_by_role("heading", name="Cancel Run #1")).to_be_visible()
    cancel_button(page).click()
    expect(page).to_have_url(RUN_PATH)
    expect(toast(page, "Run #1")).to_contain_text("cancelled")
    orders.wait_for(run_id, {"canceled"})


def test_keeping_the_run_changes_nothing_and_gives_the_focus_back(
    page: Page, orders: Orders
) -> None:
    _, run_id = orders.running()
    dialog = open_dialog(page, run_id)
    focused(page, dialog.get_by_role("button", name="Keep run"))
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    focused(page, cancel_button(page))
    expect(status(page)).to_have_text("running")


def test_escape_closes_the_dialog(page: Page, orders: Orders) -> None:
    _, run_id = orders.running()
    dialog = open_dialog(page, run_id)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(status(page)).to_have_text("running")


def test_double_click_cancels_once(page: Page, orders: Orders) -> None:
    _, run_id = orders.running()
    dialog = open_dialog(page, run_id)
    sent = seen_requests(page, lambda request: request.method == "POST")
    dialog.get_by_role("button", name="Cancel run").dblclick()
    expect(toast(page, "Run #1")).to_contain_text("cancelled")
    assert len(sent) == 1


def test_run_that_ended_meanwhile_is_told(page: Page, orders: Orders) -> None:
    work_order_id, run_id = orders.running()
    dialog = open_dialog(page, run_id)
    orders.release(work_order_id)
    orders.wait_for(run_id, {"failed"})
    dialog.get_by_role("button", name="Cancel run").click()
    expect(toast(page, "Run #1 has already ended: failed")).to_be_visible()


def test_dialog_fills_the_phone(phone_page: Page, orders: Orders) -> None:
    _, run_id = orders.running()
    box = open_dialog(phone_page, run_id).bounding_box()
    assert box
    assert (round(box["width"]), round(box["height"])) == (PHONE["width"], PHONE["height"])
