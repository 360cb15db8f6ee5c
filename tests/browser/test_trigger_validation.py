"""Validation errors show inline in the dialog, and nothing that was typed is lost."""

from playwright.sync_api import Page, expect

from tests.browser.orders import Orders
from tests.browser.pages import (
    expect_run_page,
    focused,
    max_iterations,
    open_dialog,
    overrides,
    start_button,
)


def test_wrong_max_iterations_show_at_the_field(
    page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    expected_errors.append("422")
    work_order_id = orders.create()
    dialog = open_dialog(page, work_order_id)
    dialog.get_by_text("Advanced Options").click()
    for typed in ("0", "101", "1.5", "abc", "1_0", "+5"):
        max_iterations(page).fill(typed)
        with page.expect_response(lambda answer: answer.status == 422):
            start_button(page).click()
        focused(page, dialog.get_by_role("group", name="Check the options: no run was started."))
        expect(max_iterations(page)).to_be_visible()
        expect(max_iterations(page)).to_have_value(typed)
        expect(max_iterations(page)).to_have_attribute("aria-invalid", "true")
        expect(dialog.get_by_text("Enter a whole number from 1 to 100.")).to_be_visible()
    assert orders.run_numbers(work_order_id) == []


def test_corrected_value_starts_the_run_with_it(
    page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    expected_errors.append("422")
    dialog = open_dialog(page, orders.create())
    dialog.get_by_text("Advanced Options").click()
    max_iterations(page).fill("0")
    start_button(page).click()
    expect(max_iterations(page)).to_have_attribute("aria-invalid", "true")
    max_iterations(page).fill("5")
    start_button(page).click()
    expect_run_page(page, 1)
    expect(overrides(page)).to_have_text("Max Iterations 5")


def test_error_message_belongs_to_its_field(
    page: Page, orders: Orders, expected_errors: list[str]
) -> None:
    """Who cannot see where it stands hears it with the field."""
    expected_errors.append("422")
    dialog = open_dialog(page, orders.create())
    dialog.get_by_text("Advanced Options").click()
    max_iterations(page).fill("0")
    start_button(page).click()
    expect(max_iterations(page)).to_have_attribute("aria-invalid", "true")
    described_by = max_iterations(page).get_attribute("aria-describedby") or ""
    descriptions = [page.locator(f"#{name}").inner_text() for name in described_by.split()]
    assert "Enter a whole number from 1 to 100." in " ".join(descriptions)
