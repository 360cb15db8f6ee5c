"""The confirmation dialog (F7.3): what it says and how it opens and closes."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.orders import PROMPT, Orders
from tests.browser.pages import (
    focused,
    max_iterations,
    on_trigger,
    open_dialog,
    open_work_order,
    seen_triggers,
    start_button,
    status,
    toast,
    trigger_button,
    trigger_dialog,
)


def test_dialog_shows_work_order_info(page: Page, orders: Orders) -> None:
    """AC7.4, AC7.5."""
    work_order_id = orders.failed("retry")
    dialog = open_dialog(page, work_order_id)
    expect(dialog.get_by_role("heading", name="Trigger New Run")).to_be_visible()
    expect(dialog.get_by_text("Start a new run for this work order?")).to_be_visible()
    expect(dialog.get_by_text(work_order_id)).to_be_visible()
    expect(dialog.get_by_text(PROMPT)).to_be_visible()
    expect(
        dialog.get_by_text("This will create Run #2 using the current profile settings.")
    ).to_be_visible()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_visible()
    expect(dialog.get_by_role("button", name="Start Run")).to_be_visible()


def test_advanced_options_are_collapsed_and_show_the_defaults_in_force(
    page: Page, orders: Orders
) -> None:
    dialog = open_dialog(page, orders.create("retry"))
    warning = dialog.get_by_text("These overrides apply only to this run")
    expect(max_iterations(page)).to_be_hidden()
    expect(warning).to_be_hidden()
    dialog.get_by_text("Advanced Options").click()
    expect(warning).to_be_visible()
    expect(max_iterations(page)).to_have_value("")
    expect(max_iterations(page)).to_have_accessible_description(
        re.compile("Left empty: 2, from profile retry")
    )
    profile = dialog.get_by_label("Profile")
    expect(profile.locator("option:checked")).to_have_text("retry (this work order's profile)")
    expect(profile.locator("option", has_text="careful (5 iterations)")).to_have_count(1)


def test_another_profile_is_used_for_this_run_only(page: Page, orders: Orders) -> None:
    work_order_id = orders.create("failing")
    dialog = open_dialog(page, work_order_id)
    dialog.get_by_text("Advanced Options").click()
    dialog.get_by_label("Profile").select_option("passing")
    start_button(page).click()
    expect(page.locator("dl.facts")).to_contain_text("Profile passing")
    open_work_order(page, work_order_id)
    expect(page.locator("dl.facts div", has_text="Profile").locator("dd")).to_have_text("failing")


def test_cancel_closes_dialog(page: Page, orders: Orders) -> None:
    """AC7.6."""
    work_order_id = orders.create()
    open_dialog(page, work_order_id).get_by_role("button", name="Cancel").click()
    expect(trigger_dialog(page)).to_be_hidden()
    focused(page, trigger_button(page))
    assert orders.run_numbers(work_order_id) == []


def test_escape_closes_dialog(page: Page, orders: Orders) -> None:
    open_dialog(page, orders.create())
    page.keyboard.press("Escape")
    expect(trigger_dialog(page)).to_be_hidden()
    focused(page, trigger_button(page))


def test_click_on_the_backdrop_closes_dialog(page: Page, orders: Orders) -> None:
    open_dialog(page, orders.create())
    page.mouse.click(20, 400)
    expect(trigger_dialog(page)).to_be_hidden()


def test_mouse_button_let_go_outside_does_not_close_dialog(page: Page, orders: Orders) -> None:
    """Somebody who marks what stands in a field has not asked for anything else."""
    dialog = open_dialog(page, orders.create())
    dialog.get_by_text("Advanced Options").click()
    for typed in ("", "7"):
        max_iterations(page).fill(typed)
        max_iterations(page).hover()
        page.mouse.down()
        page.mouse.move(20, 400)
        page.mouse.up()
        expect(max_iterations(page)).to_be_visible()
        expect(max_iterations(page)).to_have_value(typed)
        expect(dialog.get_by_text("Close and lose what you typed?")).to_be_hidden()


def test_double_click_on_the_button_leaves_dialog_open(page: Page, orders: Orders) -> None:
    open_work_order(page, orders.create())
    trigger_button(page).hover()
    for count in (1, 2):
        page.mouse.down(click_count=count)
        page.mouse.up(click_count=count)
        expect(trigger_dialog(page)).to_be_visible()


def test_double_click_faster_than_the_answer_leaves_dialog_open(page: Page, orders: Orders) -> None:
    open_work_order(page, orders.create())
    trigger_button(page).dblclick()
    expect(start_button(page)).to_be_focused()
    expect(trigger_dialog(page)).to_be_visible()


def test_double_tap_on_the_button_does_not_start_a_run(phone_page: Page, orders: Orders) -> None:
    """On a phone "Start Run" appears where "Trigger New Run" was tapped."""
    page = phone_page
    work_order_id = orders.create()
    open_work_order(page, work_order_id)
    triggers = seen_triggers(page)
    box = trigger_button(page).bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for count in (1, 2):
        page.mouse.down(click_count=count)
        page.mouse.up(click_count=count)
        start_button(page).hover(trial=True)  # it has slid up to its place
    expect(start_button(page)).to_have_text(re.compile("Start Run"))
    assert triggers == []
    assert orders.run_numbers(work_order_id) == []


def test_holding_enter_does_not_start_a_run(page: Page, orders: Orders) -> None:
    open_work_order(page, orders.create())
    triggers = seen_triggers(page)
    trigger_button(page).focus()
    page.keyboard.down("Enter")
    expect(start_button(page)).to_be_focused()
    for _ in range(5):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(trigger_dialog(page)).to_be_visible()
    assert triggers == []


def test_opened_again_the_dialog_is_fresh(page: Page, orders: Orders) -> None:
    """useTriggerRun's ``reset``."""
    dialog = open_dialog(page, orders.create())
    key = page.locator("input[name=key]")
    first_key = key.input_value()
    dialog.get_by_text("Advanced Options").click()
    max_iterations(page).fill("9")
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    trigger_button(page).click()
    expect(dialog).to_be_visible()
    expect(key).not_to_have_value(first_key)
    expect(max_iterations(page)).to_be_hidden()
    expect(max_iterations(page)).to_have_value("")


@pytest.mark.parametrize("way", ["Escape", "Cancel", "backdrop"])
def test_what_was_typed_is_not_thrown_away_without_asking(
    page: Page, orders: Orders, way: str
) -> None:
    dialog = open_dialog(page, orders.create())
    dialog.get_by_text("Advanced Options").click()
    max_iterations(page).fill("9")
    match way:
        case "Escape":
            page.keyboard.press("Escape")
        case "Cancel":
            dialog.get_by_role("button", name="Cancel").click()
        case _:
            page.mouse.click(20, 400)
    expect(dialog.get_by_text("Close and lose what you typed?")).to_be_visible()
    focused(page, dialog.get_by_role("button", name="Keep editing"))
    page.keyboard.press("Enter")
    focused(page, max_iterations(page))
    expect(max_iterations(page)).to_have_value("9")
    expect(start_button(page)).to_be_visible()


def test_busy_state_is_said_in_the_dialog(
    page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    """The page behind is inert, so a live region of its own says it (WCAG 4.1.3)."""
    expected_errors.append("ERR_CONNECTION_REFUSED|htmx:(afterRequest|sendError)")
    dialog = open_dialog(page, orders.create())
    held: list[Route] = []
    on_trigger(page, "POST", held.append)
    start_button(page).click()
    expect(dialog.get_by_role("status").filter(has_text="Triggering")).to_be_attached()
    held[0].abort("connectionrefused")
    expect(dialog.get_by_role("status").filter(has_text="Triggering")).to_have_count(0)


def test_run_info_follows_what_is_typed(page: Page, orders: Orders) -> None:
    work_order_id = orders.create("retry")
    dialog = open_dialog(page, work_order_id)
    expect(dialog).to_have_accessible_description(re.compile("This will create Run #1"))
    dialog.get_by_text("Advanced Options").click()
    run_info = dialog.locator("#run-info")
    max_iterations(page).fill("7")
    expect(run_info).to_have_text(
        "This will create Run #1 using Max Iterations 7 and otherwise the current profile settings."
    )
    dialog.get_by_label("Profile").select_option("passing")
    expect(run_info).to_contain_text("using Profile passing with Max Iterations 7.")
    max_iterations(page).fill("many")
    expect(run_info).to_contain_text("using the options below.")
    dialog.get_by_label("Profile").select_option("")
    max_iterations(page).fill("")
    expect(run_info).to_have_text("This will create Run #1 using the current profile settings.")
    focused(page, max_iterations(page))
    assert orders.run_numbers(work_order_id) == []


def test_open_dialog_hears_of_a_run_that_was_started_meanwhile(page: Page, orders: Orders) -> None:
    work_order_id = orders.create("gated")
    dialog = open_dialog(page, work_order_id)
    run_id = orders.trigger(work_order_id)
    orders.wait_for(run_id, {"running"})
    expect(dialog.get_by_role("status")).to_contain_text(
        "A run is already in progress for this work order. Run #1 is its newest run now"
    )
    expect(dialog.get_by_role("link", name="View Run #1")).to_be_visible()
    focused(page, start_button(page))


def test_a_queued_run_is_named_in_the_dialog(page: Page, orders: Orders) -> None:
    """A queued run does not disable the button: the new one goes behind it."""
    orders.running()
    orders.running()
    work_order_id = orders.create()
    orders.trigger(work_order_id)
    dialog = open_dialog(page, work_order_id)
    expect(dialog).to_contain_text("Run #1 is already queued; this adds Run #2 behind it.")


def test_run_that_became_active_meanwhile_closes_the_dialog(page: Page, orders: Orders) -> None:
    """AC7.10, RUN_ALREADY_ACTIVE: close dialog, show toast; the run is one click away."""
    work_order_id = orders.create("gated")
    open_dialog(page, work_order_id)
    run_id = orders.trigger(work_order_id)
    orders.wait_for(run_id, {"running"})
    start_button(page).click()
    expect(toast(page, "A run is already in progress for this work order")).to_be_visible()
    words = "A run is already in progress for this work order"
    focused(page, page.locator("#toasts").get_by_role("group", name=words))
    expect(trigger_dialog(page)).to_be_hidden()
    expect(status(page)).to_have_text("running")
    page.get_by_role("link", name="View Run #1").click()
    expect(page).to_have_url(re.compile(f"/runs/{run_id}/$"))


def test_work_order_that_succeeded_meanwhile_closes_the_dialog(page: Page, orders: Orders) -> None:
    """AC7.10, WORK_ORDER_COMPLETE: close dialog, refresh page."""
    work_order_id = orders.create("passing")
    open_dialog(page, work_order_id)
    orders.run_to_the_end(work_order_id)
    start_button(page).click()
    expect(toast(page, "This work order has already succeeded")).to_be_visible()
    expect(status(page)).to_have_text("succeeded")
    expect(trigger_button(page)).to_have_count(0)
    assert orders.run_numbers(work_order_id) == [1]


def test_focus_returns_to_the_button_when_the_page_was_refreshed_behind_the_dialog(
    page: Page, orders: Orders
) -> None:
    """The button the dialog was opened with is not there any more: another has its place."""
    orders.running()
    orders.running()
    work_order_id = orders.create()
    orders.trigger(work_order_id)
    open_dialog(page, work_order_id)
    orders.trigger(work_order_id)
    expect(page.get_by_text("Runs (2)")).to_be_attached()
    page.keyboard.press("Escape")
    focused(page, trigger_button(page))
