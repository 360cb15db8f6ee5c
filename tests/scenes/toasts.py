"""What is said at the top of the next page, after the dialog."""

from playwright.sync_api import expect

from tests.scenes.data import ID, ago, run, runs, work_order
from tests.scenes.scene import Gallery, Scripts, Visit
from tests.scenes.work_orders import PAGE, failed
from tests.support.runs_api import data, refusal

gallery = Gallery()
scene = gallery.scene


@scene("toast-started", "Toast, success", scripts=Scripts.BOTH)
def toast_started(visit: Visit) -> None:
    before(visit)
    started = {"runId": "run-abc123-3", "runNumber": 3, "status": "queued", "workOrderId": ID}
    visit.answers(f"{PAGE}runs", data(started, 201), "POST")
    newest = run(3, "queued", queuedAt=ago(0), queuePosition=1)
    visit.answers("/runs/run-abc123-3", data(newest))
    start(visit)
    visit.sees("Run #3 started")


@scene("toast-queued", "Toast, warning: the queue is full")
def toast_queued(visit: Visit) -> None:
    before(visit)
    details = {"runId": "run-abc123-3", "runNumber": 3, "status": "queued", "queuePosition": 4}
    full_queue = refusal(202, "CAPACITY_EXCEEDED", details=details)
    visit.answers(f"{PAGE}runs", full_queue, "POST")
    visit.answers("/runs/run-abc123-3", data(run(3, "queued", queuePosition=4)))
    health = {"stats": {"waiting": 4, "running": 2, "maxConcurrent": 2}}
    visit.answers("/queue/health", data(health))
    start(visit)
    visit.sees("Server at capacity. Your run has been queued.")


@scene("toast-refused", "Toast, error: a run is in progress", scripts=Scripts.BOTH)
def toast_refused(visit: Visit) -> None:
    before(visit)
    running_now = work_order(status="running", runs=runs(3, "running"))
    visit.answers(PAGE.removesuffix("/"), data(running_now))
    start(visit)
    visit.sees("A run is already in progress for this work order")


@scene("toast-server-error", "Toast, error: the API failed")
def toast_server_error(visit: Visit) -> None:
    before(visit)
    failure = refusal(500, "INTERNAL_ERROR", "The database of the runs API is full")
    visit.answers(f"{PAGE}runs", failure, "POST")
    start(visit)
    visit.sees("The runs API failed")


@scene("toast-no-dialog", "Toast, the dialog could not be loaded", scripts=Scripts.ONLY_WITH)
def toast_no_dialog(visit: Visit) -> None:
    failed(visit)
    visit.page.route("**/trigger/", lambda route: route.abort("connectionrefused"))
    visit.press("Trigger New Run")
    visit.sees("Could not connect to server.")


@scene("toast-start-checking", "Notice, closed while starting", scripts=Scripts.ONLY_WITH)
def toast_start_checking(visit: Visit) -> None:
    before(visit)
    visit.page.route("**/trigger/", visit.hold)
    start(visit)
    expect(visit.page.locator("#start-run")).to_have_attribute("aria-busy", "true")
    visit.page.keyboard.press("Escape")
    visit.sees("Checking whether your run started…")


@scene("toast-start-known", "Notice, closed and started", scripts=Scripts.ONLY_WITH)
def toast_start_known(visit: Visit) -> None:
    started = {"runId": "run-abc123-3", "runNumber": 3, "status": "queued", "workOrderId": ID}
    visit.answers(f"{PAGE}runs", data(started, 201), "POST")
    toast_start_checking(visit)
    visit.held.pop().continue_()
    visit.sees("Run #3 started")


@scene("toast-start-refused", "Notice, closed and refused", scripts=Scripts.ONLY_WITH)
def toast_start_refused(visit: Visit) -> None:
    toast_start_checking(visit)
    running_now = work_order(status="running", runs=runs(3, "running"))
    visit.answers(PAGE.removesuffix("/"), data(running_now))
    visit.held.pop().continue_()
    visit.sees("The run was not started.")


def before(visit: Visit) -> None:
    """The dialog is open on a work order that may be run."""
    failed(visit)
    visit.press("Trigger New Run")
    expect(visit.page.locator("#start-run")).to_be_visible()


def start(visit: Visit) -> None:
    visit.page.locator("#start-run").click()
