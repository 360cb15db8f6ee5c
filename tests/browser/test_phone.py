"""Mobile Considerations, at 375 px unless a test says otherwise (N7.3, AC7.12)."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import open_dialog, open_work_order, trigger_button

MIN_TARGET = 44
THIRTY_RUNS, LONG_PROMPT = "Make the discount test pass", "slug"


def expect_no_horizontal_scroll(page: Page) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.evaluate("document.documentElement.clientWidth")


def expect_finger_size(elements: Locator) -> None:
    visible = elements.filter(visible=True)
    expect(visible).not_to_have_count(0)
    for element in visible.all():
        box = element.bounding_box()
        assert box
        assert box["height"] >= MIN_TARGET, element.inner_text()


def test_no_horizontal_scroll(phone_page: Page, orders: Orders, expected_errors: list[str]) -> None:
    expected_errors.append("404")
    work_orders = [f"/work-orders/{orders.find(search)}/" for search in (THIRTY_RUNS, LONG_PROMPT)]
    for path in ("/work-orders/", "/work-orders/?q=nothing-like-it", "/nowhere/", *work_orders):
        phone_page.goto(path)
        expect(phone_page.get_by_role("heading", level=1)).to_be_visible()
        expect_no_horizontal_scroll(phone_page)


def test_no_horizontal_scroll_on_a_run_with_long_lines(phone_page: Page, orders: Orders) -> None:
    page = phone_page
    run_id = orders.run_to_the_end(orders.create("hostile", "unbreakable" * 100))
    page.goto(f"/runs/{run_id}/")
    page.locator("#iteration-1 summary").tap()
    expect(page.locator("#iteration-1 pre")).to_be_visible()
    expect_no_horizontal_scroll(page)


def test_no_horizontal_scroll_on_the_sign_in_page(stranger_page: Page) -> None:
    stranger_page.set_viewport_size({"width": 375, "height": 812})
    stranger_page.goto("/sign-in/")
    expect_no_horizontal_scroll(stranger_page)


def test_dialog_is_full_screen(phone_page: Page, orders: Orders) -> None:
    dialog = open_dialog(phone_page, orders.create("passing", "unbreakable" * 100))
    dialog.get_by_role("button", name="Cancel").hover(trial=True)  # it has slid up to its place
    box = {"x": 0, "y": 0, "width": 375, "height": 812}
    assert dialog.bounding_box() == box
    dialog.get_by_text("Advanced Options").tap()
    expect_no_horizontal_scroll(phone_page)


def test_dialog_slides_up_on_a_phone_alone(page: Page, orders: Orders) -> None:
    dialog = open_dialog(page, orders.create())
    expect(dialog).to_have_css("animation-name", "none")
    page.set_viewport_size({"width": 375, "height": 812})
    expect(dialog).to_have_css("animation-name", "slide-up")


@pytest.mark.parametrize(("width", "is_full_screen"), [(639, True), (640, False)])
def test_dialog_is_full_screen_below_640_px(
    page: Page, orders: Orders, width: int, *, is_full_screen: bool
) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    dialog = open_dialog(page, orders.create())
    dialog.get_by_role("button", name="Cancel").hover(trial=True)
    box = dialog.bounding_box()
    assert box
    assert (box["width"] == width and box["height"] == 700) is is_full_screen


def test_everything_to_tap_is_44_px_high(phone_page: Page, orders: Orders) -> None:
    page = phone_page
    open_work_order(page, orders.create())
    expect_finger_size(trigger_button(page))
    trigger_button(page).tap()
    dialog = page.locator("#trigger-dialog")
    dialog.get_by_text("Advanced Options").tap()
    expect_finger_size(dialog.locator("button, summary, select, input:not([type=hidden])"))


def test_trigger_button_is_in_reach_wherever_the_page_is_scrolled(
    phone_page: Page, orders: Orders
) -> None:
    page = phone_page
    open_work_order(page, orders.find(THIRTY_RUNS))
    page.get_by_role("link", name="Run #1", exact=True).scroll_into_view_if_needed()
    expect(trigger_button(page)).to_be_in_viewport(ratio=1)


def test_buttons_of_the_dialog_stay_in_reach_with_a_long_form(
    phone_page: Page, orders: Orders
) -> None:
    page = phone_page
    page.set_viewport_size({"width": 375, "height": 420})  # a keyboard takes the rest
    dialog = open_dialog(page, orders.create())
    dialog.get_by_text("Advanced Options").tap()
    expect(dialog.get_by_role("button", name="Start Run")).to_be_in_viewport(ratio=1)


def test_reason_of_the_disabled_button_can_be_read_without_focus(
    phone_page: Page, orders: Orders
) -> None:
    """There is no hovering with a finger."""
    open_work_order(phone_page, orders.running()[0])
    reason = phone_page.get_by_text("Run #1 is in progress, started")
    expect(reason).to_have_css("opacity", "1")
    expect(reason).to_be_in_viewport()


def test_list_is_filtered_and_read_by_touch(phone_page: Page, orders: Orders) -> None:
    page = phone_page
    work_order_id = orders.failed()
    page.goto("/work-orders/")
    page.get_by_label("Status").select_option("failed")
    page.get_by_role("button", name="Filter").tap()
    page.locator(f"#work-order-{work_order_id}").tap()
    page.get_by_role("link", name="Run #1", exact=True).tap()
    page.locator("#iteration-1-summary").tap()
    expect(page.locator("#iteration-1-output")).to_have_text("Still failing")
    page.get_by_role("link", name=f"Work Order: {work_order_id}").tap()
    page.get_by_role("link", name="Back to Work Orders").tap()
    expect(page.get_by_role("heading", name="Work Orders")).to_be_visible()


def test_run_is_cancelled_by_touch(phone_page: Page, orders: Orders) -> None:
    page = phone_page
    page.goto(f"/runs/{orders.running()[1]}/")
    page.get_by_role("button", name="Cancel run").tap()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Keep run")).to_be_in_viewport(ratio=1)
    dialog.get_by_role("button", name="Cancel run").tap()
    expect(page.locator(".subject-header .status")).to_have_text("cancelled")


def test_floating_button_covers_nothing_at_the_end_of_the_page(
    phone_page: Page, orders: Orders
) -> None:
    page = phone_page
    open_work_order(page, orders.find(THIRTY_RUNS))
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    button = trigger_button(page).bounding_box()
    last = page.get_by_role("contentinfo").bounding_box()
    assert button
    assert last
    assert last["y"] + last["height"] <= button["y"]
