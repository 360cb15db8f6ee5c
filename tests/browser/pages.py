"""Where things are on the dashboard's pages, in an operator's words."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, Request, Route, expect

TRIGGER_PATH = re.compile(r"/work-orders/[^/]+/trigger/$")
RUN_PATH = re.compile(r"/runs/[^/]+/$")
PASSWORD = "correct horse battery staple"
NETWORK_ERROR = "Could not connect to server. Please try again."


def sign_in(page: Page, account: str, password: str = PASSWORD) -> None:
    page.get_by_label("User name").fill(account)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in_by_link(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="Sign in as").click()


def open_work_order(page: Page, work_order_id: str) -> None:
    page.goto(f"/work-orders/{work_order_id}/")


def trigger_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Trigger New Run")


def trigger_dialog(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Trigger New Run")


def start_button(page: Page) -> Locator:
    """By its ID: its words change while it works."""
    return page.locator("#start-run")


def max_iterations(page: Page) -> Locator:
    return page.get_by_label("Max Iterations", exact=True)


def open_dialog(page: Page, work_order_id: str) -> Locator:
    open_work_order(page, work_order_id)
    trigger_button(page).click()
    dialog = trigger_dialog(page)
    expect(dialog).to_be_visible()
    return dialog


def status(page: Page) -> Locator:
    return page.locator(".subject-header .status")


def toast(page: Page, text: str) -> Locator:
    return page.locator("#toasts").get_by_text(text)


def log(page: Page) -> Locator:
    return page.locator("#log-text")


def overrides(page: Page) -> Locator:
    return page.locator("dl.facts div", has_text="Overrides").locator("dd")


def run_labels(page: Page) -> Locator:
    return page.locator("table.runs tbody td.subject a")


def expect_run_page(page: Page, number: int) -> None:
    """F7.5: the operator is on the page of the new run."""
    expect(page).to_have_url(RUN_PATH)
    expect(page.get_by_role("heading", name=f"Run #{number}")).to_be_visible()


def focused(page: Page, element: Locator) -> None:
    """``element`` is ``document.activeElement``."""
    expect(element).to_be_focused()


def seen_requests(page: Page, wanted: Callable[[Request], bool]) -> list[Request]:
    """A list that grows with every wanted request from now on."""
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request) if wanted(request) else None)
    return seen


def seen_triggers(page: Page) -> list[Request]:
    return seen_requests(page, lambda request: is_trigger(request, "POST"))


def seen_refreshes(page: Page) -> list[Request]:
    """What an open page asks by itself."""
    return seen_requests(page, lambda request: "version=" in request.url)


def is_trigger(request: Request, method: str) -> bool:
    return request.method == method and bool(TRIGGER_PATH.search(request.url))


def on_trigger(page: Page, method: str, handler: Callable[[Route], None]) -> None:
    """Let ``handler`` decide about the dialog's requests of that method."""
    page.route(
        TRIGGER_PATH,
        lambda route: handler(route) if is_trigger(route.request, method) else route.fallback(),
    )


def abort(route: Route) -> None:
    """The dashboard does not answer."""
    route.abort("connectionrefused")


def mark(page: Page) -> None:
    page.evaluate("window.neverReloaded = true")


def expect_never_reloaded(page: Page) -> None:
    assert page.evaluate("window.neverReloaded") is True
