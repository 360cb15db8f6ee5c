"""Prompts and output are text, whatever they look like: nothing of them runs.

``page`` fails the test on any console error, a blocked script or image included.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import log, open_dialog, open_work_order, status

HOSTILE = (
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
    "</pre></title></textarea><svg onload='window.hacked = 1'> {{ 7|add:7 }} {% now 'Y' %} & &lt;"
)


def expect_harmless(page: Page) -> None:
    assert page.evaluate("window.hacked") is None
    expect(page.locator("main img, main script, dialog img, dialog script")).to_have_count(0)


def test_hostile_prompt_is_text_on_every_page(page: Page, orders: Orders) -> None:
    work_order_id = orders.create_by_command("passing", HOSTILE)
    page.goto("/work-orders/")
    expect(page.locator(f"#work-order-{work_order_id}")).to_contain_text(HOSTILE[:100])
    expect_harmless(page)
    dialog = open_dialog(page, work_order_id)
    expect(dialog).to_contain_text(HOSTILE)
    expect(page.locator(".prompt-text")).to_have_text(HOSTILE)
    expect_harmless(page)


def test_hostile_output_is_text_in_log_and_iterations(page: Page, orders: Orders) -> None:
    work_order_id = orders.create("hostile", HOSTILE)
    run_id = orders.trigger(work_order_id)
    page.goto(f"/runs/{run_id}/")
    expect(status(page)).to_have_text("failed")
    expect(log(page)).to_contain_text(HOSTILE)
    page.locator("#iteration-1 summary").click()
    expect(page.locator("#iteration-1 pre")).to_have_text(HOSTILE)
    expect_harmless(page)


def test_terminal_codes_do_not_show_in_the_log(page: Page, orders: Orders) -> None:
    run_id = orders.run_to_the_end(orders.create("hostile"))
    page.goto(f"/runs/{run_id}/")
    expect(log(page)).to_contain_text("login flowred")
    assert "\x1b" not in log(page).inner_text()
    assert "[31m" not in log(page).inner_text()


def test_hostile_search_is_text(page: Page) -> None:
    search = "<img src=x onerror='window.hacked = 1'><b>nothing like it"
    page.goto("/work-orders/")
    page.get_by_label("Search prompt or ID").fill(search)
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No work order matches.")).to_be_visible()
    expect(page.locator("main")).to_contain_text(search)
    expect_harmless(page)


LONG = 99_000
LOG_TEXT = "document.querySelector('.log pre').textContent"
FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("e" + "\u0301" * LONG, id="marks"),
        pytest.param("ش" * LONG, id="letters that join"),
        pytest.param("ก" * LONG, id="letters without spaces"),
        pytest.param("क्" * (LONG // 2), id="one conjunct"),
    ],
)
def test_prompt_that_no_browser_can_lay_out_is_bounded(
    phone_page: Page, orders: Orders, prompt: str
) -> None:
    """Each took 15 to 45 seconds of layout, or a line of 800,000 pixels."""
    page, work_order_id = phone_page, orders.create("failing", f"{prompt} and more")
    dialog = open_dialog(page, work_order_id)
    expect(dialog.locator(".clamped")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_text("Show the whole prompt").click()
    whole = page.locator("#whole-prompt .prompt-text")
    expect(whole).to_be_visible()
    shown = whole.text_content() or ""
    assert len(shown) <= 20_100
    assert not re.search("\u0301{17}|(क्){17}", shown)
    assert page.evaluate(FITS)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the prompt").click()
    assert download.value.path().read_text() == f"{prompt} and more"


def test_controls_of_direction_are_marks_where_a_start_is_confirmed(
    page: Page, orders: Orders
) -> None:
    """Laid out, the prompt would read "delete nothing"."""
    work_order_id = orders.create("failing", "delete \u202egnihton\u202c and \u2066all\u2069")
    marked = "delete [U+202E]gnihton[U+202C] and [U+2066]all[U+2069]"
    expect(open_dialog(page, work_order_id)).to_contain_text(marked)
    page.goto("/work-orders/")
    expect(page.locator(f"#work-order-{work_order_id}")).to_have_text(marked)
    open_work_order(page, work_order_id)
    expect(page.locator(".prompt-text.clamped")).to_have_text(marked)


def test_followed_log_is_as_after_a_reload_wherever_it_was_cut(page: Page, orders: Orders) -> None:
    """In a colour code, in a character, between CR and LF: the last line is shown again."""
    work_order_id = orders.create("progress")
    page.goto(f"/runs/{orders.trigger(work_order_id)}/")
    lines = page.locator(".log pre")
    stages = [r"\nLoading 20%$", r"\nLoaded $", r"\n€oaded \n0;no end\nThe end\n"]
    for number, shown in enumerate(stages):
        if number:
            orders.release(work_order_id, number)
        expect(lines).to_have_text(re.compile(shown), use_inner_text=False)
        followed = page.evaluate(LOG_TEXT)
        if number == len(stages) - 1:
            expect(log(page)).to_contain_text("Run succeeded")
            followed = page.evaluate(LOG_TEXT)
        page.reload()
        assert page.evaluate(LOG_TEXT) == followed
