"""Open pages stay true, and say so when they cannot."""

import re

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.orders import Orders
from tests.browser.pages import (
    expect_never_reloaded,
    expect_run_page,
    focused,
    log,
    mark,
    open_work_order,
    run_labels,
    seen_refreshes,
    start_button,
    status,
    toast,
    trigger_button,
    trigger_dialog,
)

STALE = re.compile(r"^Not updating: cannot reach the server, last updated \d{1,2}:\d\d:\d\d")
ONE_MINUTE = 60_000  # of the page's own clock, which these tests move


def pass_a_minute(page: Page) -> None:
    """Everything the page does in a minute; needs ``page.clock.install()`` before."""
    page.clock.run_for(ONE_MINUTE)


def refresh_anyway(page: Page) -> None:
    """Replace the live part by the same, as when only its log has grown."""
    page.evaluate("document.getElementById('live').dataset.before = 'yes'")
    page.route("**/*version=*", lambda route: route.continue_(url=route.request.url.split("?")[0]))
    page.evaluate("htmx.trigger('#live', 'refresh')")
    expect(page.locator("#live[data-before]")).to_have_count(0)
    page.unroute_all()


def elapsed(page: Page) -> Locator:
    return page.locator("dl.facts [data-elapsed]")


def hide(page: Page, *, hidden: bool) -> None:
    """As if another tab was brought to the front: headless tabs are always visible."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_work_order_page_follows_a_run_that_another_tab_triggers(
    page: Page, orders: Orders
) -> None:
    """Header, button and run list; cache invalidation of the specification."""
    work_order_id = orders.create("gated")
    page.clock.install()
    open_work_order(page, work_order_id)
    mark(page)
    other = page.context.new_page()
    open_work_order(other, work_order_id)
    trigger_button(other).click()
    start_button(other).click()
    expect_run_page(other, 1)
    orders.wait_for(other.url.rstrip("/").rpartition("/")[2], {"running"})

    page.clock.fast_forward(ONE_MINUTE)  # an idle page asks rarely
    expect(status(page)).to_have_text("running")
    expect(trigger_button(page)).to_be_disabled()
    expect(run_labels(page)).to_have_text(["Run #1"])
    expect(page).to_have_title(re.compile("running"))

    orders.release(work_order_id)
    expect(status(page)).to_have_text("failed")
    expect(trigger_button(page)).to_be_enabled()
    expect_never_reloaded(page)


def test_toast_goes_when_what_it_speaks_of_is_over(page: Page, orders: Orders) -> None:
    work_order_id = orders.create("gated")
    open_work_order(page, work_order_id)
    trigger_button(page).click()
    start_button(page).click()
    expect(toast(page, "Run #1 started")).to_be_visible()
    expect(status(page)).to_have_text("running")
    expect(toast(page, "Run #1 started")).to_be_visible()
    orders.release(work_order_id)
    expect(status(page)).to_have_text("failed")
    expect(toast(page, "Run #1 started")).to_have_count(0)
    focused(page, page.locator("main"))


def test_list_follows_too(page: Page, orders: Orders) -> None:
    work_order_id, _ = orders.running()
    page.goto("/work-orders/")
    row = page.get_by_role("row", name=work_order_id)
    expect(row).to_contain_text("running")
    orders.release(work_order_id)
    expect(row).to_contain_text("failed")


def test_opened_details_and_focus_are_kept(page: Page, orders: Orders) -> None:
    work_order_id, run_id = orders.running()
    orders.release(work_order_id, 1)
    page.goto(f"/runs/{run_id}/")
    mark(page)
    first = page.locator("#iteration-1")
    expect(first).to_contain_text("Verification failed")
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(first.locator("pre")).to_be_visible()

    orders.release(work_order_id, 2)
    expect(page.locator("#iteration-2")).to_contain_text("Verification failed")
    expect(first.locator("pre")).to_have_text("Still failing")
    expect(first.locator("pre")).to_be_visible()
    focused(page, first.locator("summary"))
    expect_never_reloaded(page)


def test_closed_details_stay_closed(page: Page, orders: Orders) -> None:
    work_order_id, run_id = orders.running()
    orders.release(work_order_id, 1)
    page.goto(f"/runs/{run_id}/")
    first = page.locator("#iteration-1")
    first.locator("summary").click()
    expect(first.locator("pre")).to_be_visible()
    first.locator("summary").click()
    orders.release(work_order_id, 2)
    expect(page.locator("#iteration-2")).to_contain_text("Verification failed")
    expect(first.locator("pre")).to_be_hidden()


def test_focus_on_the_button_is_kept(page: Page, orders: Orders) -> None:
    work_order_id, _ = orders.running()
    open_work_order(page, work_order_id)
    trigger_button(page).focus()
    orders.release(work_order_id)
    expect(trigger_button(page)).to_be_enabled()
    focused(page, trigger_button(page))


def test_dialog_stays_open_while_the_page_behind_it_changes(page: Page, orders: Orders) -> None:
    orders.running()
    orders.running()
    work_order_id = orders.create()
    orders.trigger(work_order_id)
    open_work_order(page, work_order_id)
    trigger_button(page).click()
    expect(start_button(page)).to_be_focused()
    orders.trigger(work_order_id)
    expect(run_labels(page)).to_have_text(["Run #2", "Run #1"])
    expect(trigger_dialog(page)).to_be_visible()
    focused(page, start_button(page))


def test_log_lines_are_added_as_they_come(page: Page, orders: Orders) -> None:
    work_order_id, run_id = orders.running()
    page.goto(f"/runs/{run_id}/")
    mark(page)
    expect(log(page)).not_to_contain_text("Through")
    orders.release(work_order_id)
    expect(log(page)).to_contain_text("Run failed: Verification still failed after 3 iterations.")
    expect_never_reloaded(page)
    page.reload()
    assert log(page).inner_text().count("Through") == 3


def test_hidden_tab_does_not_ask(page: Page, orders: Orders, expected_errors: list[str]) -> None:
    """Also when the response to an earlier request comes while it is hidden."""
    expected_errors.append("503")
    page.clock.install()
    open_work_order(page, orders.running()[0])
    held: list[Route] = []
    page.route("**/*version=*", lambda route: held.insert(0, route))
    with page.expect_request("**/*version=*"):
        pass_a_minute(page)
    hide(page, hidden=True)
    held[0].fulfill(status=503)
    expect(page.get_by_text("Not updating: cannot reach the server")).to_be_visible()
    refreshes = seen_refreshes(page)
    pass_a_minute(page)
    assert refreshes == []

    with page.expect_request("**/*version=*"):
        hide(page, hidden=False)
    page.unroute_all(behavior="ignoreErrors")


def test_visible_tab_asks(page: Page, orders: Orders) -> None:
    page.clock.install()
    open_work_order(page, orders.running()[0])
    with page.expect_request(lambda request: "version=" in request.url):
        pass_a_minute(page)


def test_final_run_page_stops_asking(page: Page, orders: Orders) -> None:
    work_order_id, run_id = orders.running()
    page.clock.install()
    page.goto(f"/runs/{run_id}/")
    orders.release(work_order_id)
    expect(status(page)).to_have_text("failed")
    expect(log(page)).to_contain_text("Run failed")
    refreshes = seen_refreshes(page)
    pass_a_minute(page)
    assert refreshes == []


def test_lost_connection_is_said_and_recovers_by_itself(
    page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    expected_errors.append("ERR_INTERNET_DISCONNECTED|htmx:(afterRequest|sendError)")
    work_order_id, run_id = orders.running()
    page.clock.install()
    page.goto(f"/runs/{run_id}/")
    expect(elapsed(page)).to_be_visible()
    notice = page.get_by_text("Not updating: cannot reach the server, last updated")
    expect(notice).to_be_hidden()

    page.context.set_offline(True)
    expect(notice).to_be_visible()
    expect(notice).to_have_text(STALE)
    stopped_at = elapsed(page).inner_text()
    pass_a_minute(page)
    expect(elapsed(page)).to_have_text(stopped_at)

    page.context.set_offline(False)
    expect(notice).to_be_hidden()
    pass_a_minute(page)
    expect(elapsed(page)).not_to_have_text(stopped_at)
    orders.release(work_order_id)
    expect(status(page)).to_have_text("failed")


def test_server_that_answers_with_an_error_is_said_too(
    page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    expected_errors.append("503")
    open_work_order(page, orders.running()[0])
    page.route("**/*version=*", lambda route: route.fulfill(status=503))
    notice = page.get_by_text("Not updating: cannot reach the server, last updated")
    expect(notice).to_be_visible()
    page.unroute_all()
    expect(notice).to_be_hidden()


def test_icons_stand_still_while_a_page_refreshes_itself(page: Page, orders: Orders) -> None:
    page.emulate_media(reduced_motion="no-preference")
    open_work_order(page, orders.failed())
    page.route("**/*version=*", lambda _: None)  # the refresh stays under way
    with page.expect_request("**/*version=*"):
        page.evaluate("htmx.trigger('#live', 'refresh')")
    expect(page.locator("#live.htmx-request")).to_be_visible()
    moving = "document.getAnimations().map((a) => a.animationName).filter((n) => n === 'spin')"
    assert page.evaluate(moving) == []
    page.unroute_all(behavior="ignoreErrors")


def test_new_status_is_announced_once(page: Page, orders: Orders) -> None:
    """WCAG 4.1.3: politely, and not the whole part that was swapped."""
    work_order_id, run_id = orders.running()
    page.goto(f"/runs/{run_id}/")
    announcer = page.locator("#announcer")
    expect(announcer).to_have_attribute("role", "status")
    expect(announcer).to_be_empty()
    page.evaluate(
        """() => {
            window.said = [];
            new MutationObserver(() => said.push(document.getElementById("announcer").textContent))
                .observe(document.getElementById("announcer"), {childList: true});
        }"""
    )
    orders.release(work_order_id, 1)
    expect(page.locator("#iteration-1")).to_contain_text("Verification failed")
    assert page.evaluate("said") == []  # the page has changed, the status has not
    orders.release(work_order_id)
    expect(announcer).to_have_text("Run #1 failed")
    expect(page).to_have_title(re.compile(rf"^Run #1 failed · Work order {work_order_id} "))
    refresh_anyway(page)
    assert page.evaluate("said") == ["Run #1 failed"]
    expect(page.locator("#live [role=status], #live [aria-live]")).to_have_count(0)
