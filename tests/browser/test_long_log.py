"""A log that is followed for very long: the page keeps its end, and nobody who reads is moved."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import log

LONGEST = 2_000_000
CUT = "Earlier lines are in the download"
# As if that many lines of 20 characters had come with many refreshes.
FOLLOW = """([count, up]) => {
    const text = document.getElementById("log-text");
    for (let number = 0; number < count;) {
        let part = "";
        for (let end = Math.min(number + 2000, count); number < end; number += 1) {
            part += `Old line ${String(number).padStart(10, "0")}\\n`;
        }
        text.append(part);
    }
    const box = document.querySelector(".log");
    box.scrollTop = -box.scrollHeight * up;
}"""
# The line at the middle of the box, and how far below the box's top it is.
WHAT_IS_READ = """box => {
    const { left, top, height } = box.getBoundingClientRect();
    const caret = document.caretPositionFromPoint(left + 30, top + height / 2);
    const data = caret.offsetNode.data;
    const start = data.lastIndexOf("\\n", caret.offset - 1) + 1;
    const range = new Range();
    range.setStart(caret.offsetNode, start);
    range.setEnd(caret.offsetNode, start + 1);
    const line = data.slice(start, data.indexOf("\\n", start));
    return [line, Math.round(range.getBoundingClientRect().top - top)];
}"""


def follow(page: Page, orders: Orders, lines: int, *, scrolled_up: float = 0) -> str:
    """Open the page of a run and let it have followed that many lines; the work order's ID.

    ``scrolled_up``: where the reader is, from 0 at the log's end to 1 at its top.
    """
    work_order_id, run_id = orders.running()
    page.goto(f"/runs/{run_id}/")
    page.evaluate(FOLLOW, [lines, scrolled_up])
    return work_order_id


def box(page: Page) -> Any:
    found = page.locator(".log")
    found.scroll_into_view_if_needed()
    return found


def length(page: Page) -> int:
    return len(log(page).text_content() or "")


def wait_for_more(page: Page, orders: Orders, work_order_id: str) -> None:
    orders.release(work_order_id)
    expect(log(page)).to_contain_text("Run failed")


def test_followed_to_its_end_it_is_cut_at_a_line(page: Page, orders: Orders) -> None:
    work_order_id = follow(page, orders, lines=150_000)
    wait_for_more(page, orders, work_order_id)
    expect(page.get_by_text(CUT)).to_be_visible()
    assert LONGEST - 100 < length(page) <= LONGEST
    assert (log(page).text_content() or "").startswith("Old line ")
    assert box(page).evaluate("box => box.scrollTop") == 0


def test_short_log_is_not_cut(page: Page, orders: Orders) -> None:
    work_order_id = follow(page, orders, lines=50_000)
    wait_for_more(page, orders, work_order_id)
    expect(page.get_by_text(CUT)).to_be_hidden()
    assert length(page) > 1_000_000


def test_who_has_scrolled_up_is_not_moved(page: Page, orders: Orders) -> None:
    work_order_id = follow(page, orders, lines=150_000, scrolled_up=0.5)
    before = box(page).evaluate(WHAT_IS_READ)
    wait_for_more(page, orders, work_order_id)
    expect(page.get_by_text(CUT)).to_be_visible()
    assert box(page).evaluate(WHAT_IS_READ) == before
    assert length(page) <= LONGEST


def test_the_oldest_lines_stay_while_somebody_reads_them(page: Page, orders: Orders) -> None:
    work_order_id = follow(page, orders, lines=150_000, scrolled_up=1)
    before = box(page).evaluate(WHAT_IS_READ)
    wait_for_more(page, orders, work_order_id)
    assert box(page).evaluate(WHAT_IS_READ) == before
    expect(page.get_by_text(CUT)).to_be_hidden()


def test_even_they_go_when_there_are_far_too_many(page: Page, orders: Orders) -> None:
    work_order_id = follow(page, orders, lines=250_000, scrolled_up=1)
    wait_for_more(page, orders, work_order_id)
    expect(page.get_by_text(CUT)).to_be_visible()
    assert length(page) < LONGEST + 10_000
