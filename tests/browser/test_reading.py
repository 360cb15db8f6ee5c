"""What the pages show of work orders and runs that exist already."""

import re

from playwright.sync_api import Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import NETWORK_ERROR, open_work_order, run_labels, status


def test_work_order_with_30_runs_lists_them_newest_first(page: Page, orders: Orders) -> None:
    open_work_order(page, orders.find("Make the discount test pass"))
    expect(page.get_by_role("heading", name="Runs (30)")).to_be_visible()
    expect(run_labels(page)).to_have_text([f"Run #{number}" for number in range(30, 0, -1)])


def test_header_is_as_specified(page: Page, orders: Orders) -> None:
    """ "Button Placement"."""
    work_order_id = orders.failed()
    open_work_order(page, work_order_id)
    main = page.locator("main")
    expect(main).to_contain_text(
        re.compile(
            rf"Back to Work Orders\s+Work Order: {work_order_id}\s+Status:\s+failed\s+"
            r"Trigger New Run\s+Prompt:\s+Fix the authentication bug in the login flow\s+"
            r"Created: [A-Z][a-z]{2} \d{1,2}, \d{4} at \d{1,2}:\d\d [AP]M\s"
        ),
        use_inner_text=True,
    )
    page.get_by_role("link", name="Back to Work Orders").click()
    expect(page.get_by_role("heading", name="Work Orders")).to_be_visible()


def test_long_prompt_folds_and_opens(page: Page, orders: Orders) -> None:
    prompt = "\n".join(f"Line {number} of a long task" for number in range(1, 200))
    open_work_order(page, orders.create("failing", prompt))
    whole = page.locator("#whole-prompt .prompt-text")
    expect(whole).to_be_hidden()
    page.get_by_text("Show the whole prompt").click()
    expect(whole).to_be_visible()
    expect(whole).to_contain_text("Line 199 of a long task")


def test_log_shows_its_last_lines_first(page: Page, orders: Orders) -> None:
    run_id = orders.run_to_the_end(orders.create("chatty"))
    page.goto(f"/runs/{run_id}/")
    expect(status(page)).to_have_text("succeeded")
    last_line = page.evaluate(
        """() => {
            const box = document.querySelector(".log").getBoundingClientRect();
            const range = document.createRange();
            range.selectNodeContents(document.querySelector("#log-text"));
            return [box.bottom, range.getBoundingClientRect().bottom];
        }"""
    )
    assert abs(last_line[0] - last_line[1]) < 50


def test_whole_log_can_be_downloaded(page: Page, orders: Orders) -> None:
    run_id = orders.run_to_the_end(orders.create("chatty"))
    page.goto(f"/runs/{run_id}/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the whole log").click()
    text = download.value.path().read_text()
    assert "Line 1\n" in text
    assert "Line 500\n" in text
    assert download.value.suggested_filename == f"{run_id}.log"


def test_list_filters_and_searches(page: Page, orders: Orders) -> None:
    failed = orders.failed()
    page.goto("/work-orders/")
    page.get_by_label("Status").select_option("Failed")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(f"#work-order-{failed}")).to_be_visible()
    page.get_by_label("Status").select_option("Cancelled")
    page.get_by_label("Search prompt or ID").fill(failed)
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No work order matches.")).to_be_visible()
    page.get_by_role("link", name="Show all work orders").click()
    expect(page.locator(f"#work-order-{failed}")).to_be_visible()


def test_toast_can_be_dismissed(page: Page, orders: Orders, expected_errors: list[str]) -> None:
    expected_errors.append("ERR_FAILED|htmx:(afterRequest|sendError)")
    open_work_order(page, orders.create())
    page.route("**/trigger/", lambda route: route.abort())
    page.get_by_role("button", name="Trigger New Run").click()
    expect(page.get_by_text(NETWORK_ERROR)).to_be_visible()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.get_by_text(NETWORK_ERROR)).to_have_count(0)


def test_page_that_does_not_exist(page: Page, expected_errors: list[str]) -> None:
    expected_errors.append("404")
    for path in ("/nowhere/", "/work-orders/nothing-like-it/", "/runs/nothing-like-it/"):
        answer = page.goto(path)
        assert answer
        assert answer.status == 404
        expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
        expect(page.get_by_role("link", name="Runs", exact=True)).to_be_visible()
    page.get_by_role("link", name="Back to Work Orders").click()
    expect(page.get_by_role("heading", name="Work Orders")).to_be_visible()


def test_tap_on_a_time_shows_it_exactly(phone_page: Page, orders: Orders) -> None:
    """There is no hovering with a finger."""
    orders.create()
    phone_page.goto("/work-orders/")
    age = phone_page.locator("time[data-moment]").first
    expect(age).to_have_text(re.compile(r"^\d+ \w+ ago$"))
    age.tap()
    expect(age).to_have_text(re.compile(r"^\w+, \w+ \d+, \d{4} at \d+:\d\d:\d\d"))
    age.tap()
    expect(age).to_have_text(re.compile(r"^\d+ \w+ ago$"))


def test_run_page_is_printed_whole(page: Page, orders: Orders) -> None:
    """What it holds, and nothing that can only be clicked."""
    run_id = orders.run_to_the_end(orders.create("chatty"))
    page.goto(f"/runs/{run_id}/")
    page.emulate_media(media="print")
    box = page.locator(".log")
    assert box.evaluate("box => box.scrollHeight <= box.clientHeight")
    expect(box).to_contain_text("Line 500")
    for element in (".site-header", ".site-footer", ".back", "#main .button"):
        for found in page.locator(element).all():
            expect(found).to_be_hidden()
