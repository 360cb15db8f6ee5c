"""Every task with the keyboard alone, the focused element named at each step (WCAG 2.1.1, 2.4.3).

The trigger itself is in ``test_full_trigger_flow``, shortcuts are in ``test_preferences``.
"""

from playwright.sync_api import Locator, Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import PASSWORD, focused, log, status, trigger_button, trigger_dialog


def tab(page: Page, *elements: Locator) -> None:
    """Tab leads to these, one after the other."""
    for element in elements:
        page.keyboard.press("Tab")
        focused(page, element)


def link(page: Page, name: str) -> Locator:
    return page.get_by_role("link", name=name, exact=True)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def header(page: Page) -> list[Locator]:
    return [
        link(page, "Skip to content"),
        link(page, "Runs"),
        link(page, "Work Orders"),
        page.locator(".account-name"),
        link(page, "Preferences and shortcuts"),
        button(page, "Sign out"),
    ]


def test_sign_in_and_out(stranger_page: Page, account: str) -> None:
    page = stranger_page
    page.goto("/work-orders/")
    focused(page, page.get_by_label("User name"))
    page.keyboard.type(account)
    tab(page, page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Work Orders")).to_be_visible()
    tab(page, *header(page))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_skip_link_leads_past_the_header(page: Page) -> None:
    page.goto("/work-orders/")
    tab(page, link(page, "Skip to content"))
    expect(link(page, "Skip to content")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    focused(page, page.locator("main"))
    tab(page, page.get_by_label("Search prompt or ID"))


def test_work_order_is_searched_for_and_opened(page: Page, orders: Orders) -> None:
    work_order_id = orders.create(prompt="Find me among the others, please")
    page.goto("/work-orders/")
    tab(page, *header(page), page.get_by_label("Search prompt or ID"))
    page.keyboard.type("among the others")
    tab(page, page.get_by_label("Status"))
    page.keyboard.type("Queued")
    tab(page, button(page, "Filter"))
    page.keyboard.press("Enter")
    found = page.locator(f"#work-order-{work_order_id}")
    expect(found).to_be_visible()
    tab(page, *header(page), page.get_by_label("Search prompt or ID"))
    expect(page.get_by_label("Status")).to_have_value("queued")
    tab(page, page.get_by_label("Status"), button(page, "Filter"), found)
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("queued")
    tab(page, *header(page), link(page, "Back to Work Orders"), trigger_button(page))


def test_focus_stays_in_the_dialog(page: Page, orders: Orders) -> None:
    page.goto(f"/work-orders/{orders.create()}/")
    page.keyboard.press("t")
    expect(trigger_dialog(page)).to_be_visible()
    for _ in range(8):
        page.keyboard.press("Tab")
        inside = (
            "document.activeElement.closest('dialog') || document.activeElement.matches('body')"
        )
        assert page.evaluate(f"Boolean({inside})")  # body: the browser's own bar has it


def test_run_is_read_and_cancelled(page: Page, orders: Orders) -> None:
    work_order_id, run_id = orders.running()
    orders.release(work_order_id, 1)
    page.goto(f"/runs/{run_id}/")
    first = page.locator("#iteration-1-summary")
    expect(page.locator("#iteration-2-summary")).to_be_visible()
    cancel = button(page, "Cancel run")
    tab(
        page,
        *header(page),
        link(page, f"Work Order: {work_order_id}"),
        cancel,
        trigger_button(page),
        first,
    )
    page.keyboard.press("Enter")
    tab(page, page.locator("#iteration-1-output"), page.locator("#iteration-2-summary"))
    tab(page, link(page, "Download the whole log"), page.get_by_role("region", name="Log"))
    expect(log(page)).to_be_visible()
    for _ in range(5):
        page.keyboard.press("Shift+Tab")
    focused(page, trigger_button(page))
    page.keyboard.press("Shift+Tab")
    focused(page, cancel)
    page.keyboard.press("Enter")
    focused(page, button(page, "Keep run"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("cancelled")


def test_focused_element_is_marked_and_not_covered(phone_page: Page, orders: Orders) -> None:
    """WCAG 2.4.7, 2.4.11: under the floating button least of all."""
    page = phone_page
    page.goto(f"/work-orders/{orders.find('Make the discount test pass')}/")
    button_box = trigger_button(page).bounding_box()
    assert button_box
    page.locator("main").focus()
    for _ in range(14):
        page.keyboard.press("Tab")
        page.evaluate("new Promise(requestAnimationFrame)")
        seen = page.evaluate(
            """() => {
                const element = document.activeElement;
                const {left, right, top, bottom} = element.getBoundingClientRect();
                const at = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
                return {
                    outline: getComputedStyle(element).outlineWidth,
                    covered: !(element.contains(at) || at?.contains(element)),
                };
            }"""
        )
        assert seen == {"outline": "3px", "covered": False}
