"""The dialog that cancels a run, or its work order: over its page, or a page of its own."""

from playwright.sync_api import expect

from tests.scenes.data import ID, RUN_ID, log, run, work_order
from tests.scenes.scene import Dashboard, Gallery, Scripts, Visit
from tests.support.runs_api import Reply, data, refusal, reset

gallery = Gallery()
scene = gallery.scene


def open_dialog(
    visit: Visit,
    status: str = "running",
    *,
    button: str = "Cancel run",
    then: Reply | None = None,
) -> None:
    """``then`` is what the API says of the run once its page is shown."""
    has_run(visit, status)
    visit.answers(f"/runs/{RUN_ID}/log", data(log()))
    visit.go(f"/runs/{RUN_ID}/")
    if then:
        visit.answers(f"/runs/{RUN_ID}", then)
    visit.press(button)
    expect(visit.page.locator("#trigger-title")).to_be_visible()


def has_run(visit: Visit, status: str) -> None:
    shown = run(2, status)
    visit.answers(f"/runs/{RUN_ID}", data(shown))
    visit.answers(f"/work-orders/{ID}", data(work_order(status="running", runs=[shown, run(1)])))


@scene("cancel-run", "Cancel dialog, a running run", scripts=Scripts.DIALOG)
def cancel_run(visit: Visit) -> None:
    open_dialog(visit)
    visit.sees("What it has done so far stays in its log.")


@scene("cancel-queued-run", "Cancel dialog, a queued run", scripts=Scripts.DIALOG)
def cancel_queued_run(visit: Visit) -> None:
    open_dialog(visit, "queued")
    visit.sees("out of the queue?")


@scene(
    "cancel-work-order",
    "Cancel dialog, the whole work order",
    scripts=Scripts.DIALOG,
    dashboard=Dashboard.CANCELS_WORK_ORDERS,
)
def cancel_work_order(visit: Visit) -> None:
    open_dialog(visit, button="Cancel work order")
    visit.sees("This runs API cannot cancel a single run")


@scene("cancel-changed", "Cancel dialog, the run has started meanwhile", scripts=Scripts.DIALOG)
def cancel_changed(visit: Visit) -> None:
    open_dialog(visit, "queued")
    has_run(visit, "running")
    confirm(visit)
    visit.sees("Nothing was cancelled yet.")


@scene("cancel-failure", "Cancel dialog, refused", scripts=Scripts.DIALOG)
def cancel_failure(visit: Visit) -> None:
    open_dialog(visit)
    visit.answers(f"/runs/{RUN_ID}/cancel", refusal(409, "CONFLICT", "Not now"), "POST")
    confirm(visit)
    visit.sees("The runs API refused to cancel this run")


@scene("cancel-not-known", "Cancel dialog, no answer", scripts=Scripts.DIALOG)
def cancel_not_known(visit: Visit) -> None:
    open_dialog(visit)
    visit.answers(f"/runs/{RUN_ID}/cancel", reset, "POST")
    confirm(visit)
    visit.sees("Could not connect to server.")


@scene("cancel-not-loadable", "Cancel dialog, nothing can be loaded", scripts=Scripts.DIALOG)
def cancel_not_loadable(visit: Visit) -> None:
    open_dialog(visit, then=reset)
    visit.sees("Could not connect to server.")


@scene("cancel-toast", "Run, toast: it was cancelled")
def cancel_toast(visit: Visit) -> None:
    open_dialog(visit)
    visit.answers(f"/runs/{RUN_ID}/cancel", data({"id": RUN_ID}), "POST")
    confirm(visit)
    visit.sees("is being cancelled")


def confirm(visit: Visit) -> None:
    visit.page.locator("#confirm-cancel").click()
