"""Prompts and output are text, whatever they look like: nothing of them runs.

``page`` fails the test on any console error, a blocked script or image included.
"""

from playwright.sync_api import Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import log, open_dialog, status

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
