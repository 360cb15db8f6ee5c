"""The trigger dialog: over its page with JavaScript, without it a page of its own."""

from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from tests.scenes.data import ID, LONG_PROMPT, RIGHT_TO_LEFT, ago, run, runs, work_order
from tests.scenes.scene import Gallery, Scripts, Visit
from tests.scenes.seed import LOST_KEY
from tests.support.runs_api import Reply, answer, data, items, refusal, reset

gallery = Gallery()
scene = gallery.scene


def open_dialog(visit: Visit, *, then: Reply | None = None, **fields: Any) -> None:
    """``then`` is what the API says of the work order once its page is shown."""
    order = work_order(**({"runs": runs(2)} | fields))
    path = f"/work-orders/{order['id']}"
    visit.answers(path, data(order))
    visit.go(f"{path}/")
    if then:
        visit.answers(path, then)
    visit.press("Trigger New Run")
    expect(visit.page.locator("#trigger-title")).to_be_visible()


def refused(visit: Visit, reply: Reply, text: str, **fields: Any) -> None:
    """Start Run is pressed, the API gives ``reply``, and the dialog says ``text``."""
    open_dialog(visit, **fields)
    visit.answers(f"/work-orders/{fields.get('id', ID)}/runs", reply, "POST")
    visit.press("Start Run")
    visit.sees(text)


def open_options(visit: Visit, text: str) -> None:
    visit.press("Advanced Options")
    visit.sees(text)


def max_iterations(page: Page, text: str) -> None:
    page.get_by_label("Max Iterations", exact=True).fill(text)


@scene("dialog", "Trigger dialog", scripts=Scripts.DIALOG)
def plain(visit: Visit) -> None:
    open_dialog(visit)
    visit.sees("This will create Run #3 using the current profile settings.")


@scene("dialog-own-page", "Trigger dialog, a page of its own", scripts=Scripts.ONLY_WITH)
def own_page(visit: Visit) -> None:
    visit.answers(f"/work-orders/{ID}", data(work_order(runs=runs(2))))
    visit.go(f"/work-orders/{ID}/trigger/")
    visit.sees("This will create Run #3")


@scene("dialog-options", "Trigger dialog, Advanced Options opened", scripts=Scripts.DIALOG)
def options(visit: Visit) -> None:
    open_dialog(visit)
    open_options(visit, "These overrides apply only to this run")


@scene("dialog-discard", "Trigger dialog, closed with words typed", scripts=Scripts.ONLY_WITH)
def discard(visit: Visit) -> None:
    options(visit)
    max_iterations(visit.page, "7")
    visit.page.keyboard.press("Escape")
    visit.sees("Close and lose what you typed?")


@scene("dialog-long", "Trigger dialog, long prompt, never run", scripts=Scripts.DIALOG)
def long_texts(visit: Visit) -> None:
    open_dialog(visit, id="wo-" + "x" * 100, taskPrompt=LONG_PROMPT, runs=[], status="queued")
    open_options(visit, "These overrides apply only to this run")


@scene("dialog-queued-run", "Trigger dialog, a run is queued already", scripts=Scripts.DIALOG)
def queued_run(visit: Visit) -> None:
    open_dialog(visit, runs=[run(2, "queued", queuedAt=ago(1)), run(1)])
    visit.sees("Run #2 is already queued; this adds Run #3 behind it.")


@scene("dialog-no-profiles", "Trigger dialog, no profiles", scripts=Scripts.DIALOG)
def no_profiles(visit: Visit) -> None:
    visit.answers("/profiles", items())
    open_dialog(visit)
    open_options(visit, "This runs API offers no profiles to choose from.")


@scene("dialog-profiles-fail", "Trigger dialog, profiles not loadable", scripts=Scripts.DIALOG)
def profiles_fail(visit: Visit) -> None:
    visit.answers("/profiles", refusal(500, "INTERNAL_ERROR"))
    open_dialog(visit)
    open_options(visit, "The profiles could not be loaded")


@scene("dialog-invalid", "Trigger dialog, an option that is no number", scripts=Scripts.DIALOG)
def invalid(visit: Visit) -> None:
    options(visit)
    max_iterations(visit.page, "many")
    visit.press("Start Run")
    visit.sees("Enter a whole number from 1 to 100.")


@scene("dialog-field-error", "Trigger dialog, the API refuses an option", scripts=Scripts.DIALOG)
def field_error(visit: Visit) -> None:
    options(visit)
    max_iterations(visit.page, "99")
    visit.page.get_by_label("Profile", exact=True).select_option("careful")
    errors = [
        {"path": ["profileOverrides", "loopStrategy", "maxIterations"], "message": "At most 20"},
        {"path": ["profileName"], "message": "Not for this repository"},
    ]
    reply = refusal(422, "VALIDATION_ERROR", "Invalid request", {"errors": errors})
    visit.answers(f"/work-orders/{ID}/runs", reply, "POST")
    visit.press("Start Run")
    visit.sees("At most 20")


@scene("dialog-right-to-left", "Trigger dialog, words from right to left", scripts=Scripts.DIALOG)
def right_to_left(visit: Visit) -> None:
    visit.answers("/profiles", items({"name": "זהיר", "description": "כמו תמיד"}))
    open_dialog(visit, taskPrompt=RIGHT_TO_LEFT)
    visit.press("Advanced Options")
    max_iterations(visit.page, "99")
    errors = [
        {"path": ["profileOverrides", "loopStrategy", "maxIterations"], "message": "יותר מדי"}
    ]
    reply = refusal(422, "VALIDATION_ERROR", "בקשה שגויה", {"errors": errors})
    visit.answers(f"/work-orders/{ID}/runs", reply, "POST")
    visit.press("Start Run")
    visit.sees("יותר מדי")


@scene("dialog-network-error", "Trigger dialog, network error with Retry", scripts=Scripts.DIALOG)
def network_error(visit: Visit) -> None:
    open_dialog(visit)
    visit.api_leaves()
    visit.press("Start Run")
    visit.sees("Could not connect to server. Please try again.")


@scene(
    "dialog-dashboard-gone",
    "Trigger dialog, the dashboard itself does not answer",
    scripts=Scripts.ONLY_WITH,
)
def dashboard_gone(visit: Visit) -> None:
    options(visit)
    visit.page.route("**/trigger/", lambda route: route.abort("connectionrefused"))
    visit.press("Start Run")
    visit.sees("Could not connect to server. Please try again.")


@scene("dialog-busy", "Trigger dialog, triggering", scripts=Scripts.ONLY_WITH)
def busy(visit: Visit) -> None:
    open_dialog(visit)
    visit.page.route("**/trigger/", visit.hold)
    visit.press("Start Run")
    visit.sees("Triggering...")


@scene("dialog-checking", "Trigger dialog, checking whether it started", scripts=Scripts.DIALOG)
def checking(visit: Visit) -> None:
    refused(visit, reset, "Checking whether your run started…", id="check7")


@scene("dialog-not-known", "Trigger dialog, it could not find out", scripts=Scripts.DIALOG)
def not_known(visit: Visit) -> None:
    """The form of a start of which nothing could be found out, sent again."""
    open_dialog(visit, id="lost7", runs=[])
    visit.page.locator("[name=key]").evaluate(f"field => field.value = '{LOST_KEY}'")
    visit.press("Start Run")
    visit.sees("We could not find out")


@scene("dialog-changed", "Trigger dialog, changed since it was opened", scripts=Scripts.DIALOG)
def changed(visit: Visit) -> None:
    open_dialog(visit)
    visit.answers(f"/work-orders/{ID}", data(work_order(runs=runs(3))))
    visit.press("Start Run")
    visit.sees("This work order has changed since you opened this dialog")


@scene("dialog-news", "Trigger dialog, a run was started meanwhile", scripts=Scripts.ONLY_WITH)
def news(visit: Visit) -> None:
    open_dialog(visit)
    visit.answers(f"/work-orders/{ID}", data(work_order(status="queued", runs=runs(3, "queued"))))
    # As when the tab is looked at again, which does not wait for the dialog's next turn.
    visit.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    visit.sees("Run #3 is its newest run now (queued).")


@scene("dialog-active-run", "Trigger dialog, a run is active", scripts=Scripts.DIALOG)
def active_run(visit: Visit) -> None:
    open_dialog(visit, then=data(work_order(status="running", runs=runs(3, "running"))))
    visit.sees("A run is already in progress for this work order.")


@scene("dialog-status-unknown", "Trigger dialog, a status nobody knows", scripts=Scripts.DIALOG)
def status_unknown(visit: Visit) -> None:
    open_dialog(visit, then=data(work_order(status="paused")))
    visit.sees("This dashboard does not know the status of this work order")


@scene("dialog-conflict", "Trigger dialog, refused without a reason", scripts=Scripts.DIALOG)
def conflict(visit: Visit) -> None:
    refused(visit, refusal(409, "CONFLICT"), "The runs API refused to start a run now")


@scene("dialog-capacity", "Trigger dialog, queued without a name", scripts=Scripts.DIALOG)
def capacity(visit: Visit) -> None:
    visit.answers(f"/queue/position/{ID}", data({"position": 4}))
    full = refusal(503, "CAPACITY_EXCEEDED", "All slots are busy")
    refused(visit, full, "Server at capacity. Your run has been queued.")


@scene("dialog-unauthorized", "Trigger dialog, the key is refused", scripts=Scripts.DIALOG)
def unauthorized(visit: Visit) -> None:
    reply = refusal(401, "UNAUTHORIZED", "Invalid API key")
    refused(visit, reply, "The runs API does not accept this dashboard's key.")


@scene("dialog-rate-limited", "Trigger dialog, too many requests", scripts=Scripts.DIALOG)
def rate_limited(visit: Visit) -> None:
    reply = refusal(429, "RATE_LIMITED", "Slow down", Retry_After="30")
    refused(visit, reply, "Too many requests. Try again in 30 seconds.")


@scene("dialog-unknown-error", "Trigger dialog, an error nobody knows", scripts=Scripts.DIALOG)
def unknown_error(visit: Visit) -> None:
    reply = refusal(418, "TEAPOT_" * 12, "I am a teapot, " + "short-and-stout" * 9)
    refused(visit, reply, "An unexpected error occurred")


@scene("dialog-not-understood", "Trigger dialog, no answer of a runs API", scripts=Scripts.DIALOG)
def not_understood(visit: Visit) -> None:
    reply = answer(429, b"<!doctype html><title>Wait</title>", "text/html")
    refused(visit, reply, "Too many requests")


@scene("dialog-not-loadable", "Trigger dialog, nothing can be loaded", scripts=Scripts.DIALOG)
def not_loadable(visit: Visit) -> None:
    open_dialog(visit, then=refusal(500, "INTERNAL_ERROR", "The database is gone"))
    visit.sees("The runs API failed")


@scene("dialog-resumed", "Trigger dialog, resumed after the session ended")
def resumed(visit: Visit) -> None:
    """Always a page of its own: one comes from signing in."""
    visit.answers(f"/work-orders/{ID}", data(work_order(runs=runs(2))))
    typed = {"session": "ended", "max_iterations": "7", "profile_name": "careful"}
    visit.go(f"/work-orders/{ID}/trigger/?{urlencode(typed)}")
    visit.sees("Your session had ended, so nothing was started.")
