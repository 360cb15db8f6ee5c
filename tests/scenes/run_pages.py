"""The page of a run, and what stands in its place."""

from typing import Any

from tests.scenes.data import (
    ID,
    LOG_TEXT,
    LONG_ERROR,
    RIGHT_TO_LEFT,
    RUN_ID,
    STRANGE,
    ago,
    at,
    iteration,
    log,
    run,
    work_order,
)
from tests.scenes.scene import Gallery, Scripts, Visit, Who
from tests.scenes.seed import NEVER_APPEARED, ONE_OF_SEVERAL, TRIED
from tests.support.runs_api import data, refusal, reset

gallery = Gallery()
scene = gallery.scene


def shows(visit: Visit, text: str, status: str, **fields: Any) -> None:
    """The page of the work order's second run, which is settled when it says ``text``."""
    shown = run(2, status, **fields)
    listed = {"status": status} if status in {"running", "succeeded"} else {}
    order_id = shown["workOrderId"]
    if order_id:
        order = work_order(id=order_id, runs=[shown, run(1)], **listed)
        visit.answers(f"/work-orders/{order_id}", data(order))
    visit.answers(f"/runs/{shown['id']}", data(shown))
    visit.api.replies.setdefault(("GET", f"/runs/{shown['id']}/log"), data(log()))
    visit.go(f"/runs/{shown['id']}/")
    visit.sees(text)


def queue(visit: Visit, *, slots: int) -> None:
    stats = {"waiting": 3, "running": slots, "maxConcurrent": slots}
    visit.answers("/queue/health", data({"stats": stats}))


@scene("run-queued", "Run, queued with its position", scripts=Scripts.BOTH)
def queued(visit: Visit) -> None:
    queue(visit, slots=2)
    waiting_for = {"runId": "run-abc123-1", "runNumber": 1}
    shows(visit, "3rd in the queue", "queued", queuePosition=3, waitingFor=waiting_for, logSize=0)


@scene("run-queued-no-worker", "Run, queued, no worker is running")
def no_worker(visit: Visit) -> None:
    queue(visit, slots=0)
    visit.answers(f"/runs/{RUN_ID}/log", data(log("")))
    shows(visit, "no worker is running", "queued", logSize=0)


@scene("run-building", "Run, building")
def building(visit: Visit) -> None:
    shows(visit, "building", "building", iterationCount=0)


@scene("run-running", "Run, running with iterations", scripts=Scripts.BOTH)
def running(visit: Visit) -> None:
    shows(visit, "In progress", "running", iterations=[iteration(1), iteration(2, passed=None)])


@scene("run-failed", "Run, failed with its error, an iteration opened", scripts=Scripts.BOTH)
def failed(visit: Visit) -> None:
    both = [iteration(1), iteration(2, output="")]
    shows(visit, "Verification still failed", "failed", iterations=both, error=LONG_ERROR)
    visit.press("Iteration 1")
    visit.sees("1 failed, 3 passed")


@scene("run-succeeded", "Run, succeeded")
def succeeded(visit: Visit) -> None:
    both = [iteration(1), iteration(2, passed=True)]
    shows(visit, "Verification passed", "succeeded", iterations=both)


@scene("run-cancelled", "Run, cancelled")
def cancelled(visit: Visit) -> None:
    shows(visit, "Cancelled by operator", "canceled", error="Cancelled by operator.")


@scene("run-overrides", "Run, with overrides and its receipt")
def overrides(visit: Visit) -> None:
    body = {"profileOverrides": {"loopStrategy": {"maxIterations": 7}}, "profileName": "careful"}
    run_id = "run-tried42-3"
    visit.answers(f"/runs/{run_id}/log", data(log("Nothing but words\n" + "wide" * 300)))
    shown = {"id": run_id, "workOrderId": TRIED, "runNumber": 3, "overrides": body}
    shows(visit, "Triggered by operator", "failed", **shown)


@scene("run-strange-text", "Run, all its text is strange")
def strange_text(visit: Visit) -> None:
    strange = {"profileName": STRANGE, "error": STRANGE * 3}
    iterations = [iteration(1, output=STRANGE * 3)]
    visit.answers(f"/runs/{RUN_ID}/log", data(log(STRANGE * 3)))
    order = work_order(taskPrompt=STRANGE * 20, runs=[run(2, STRANGE), run(1, STRANGE)], **strange)
    visit.answers(f"/work-orders/{ID}", data(order))
    visit.answers(f"/runs/{RUN_ID}", data(run(2, STRANGE, iterations=iterations, **strange)))
    visit.go(f"/runs/{RUN_ID}/")
    visit.sees("[U+202E]")


@scene("run-history", "Run, imported history")
def history(visit: Visit) -> None:
    shows(visit, "history: not executed here", "succeeded", imported=True, logSize=None)


@scene("run-right-to-left", "Run, words that run from right to left")
def right_to_left(visit: Visit) -> None:
    shown = run(1, id="run-rtl7-1", workOrderId="rtl7", profileName="זהיר", error=RIGHT_TO_LEFT)
    shown |= {"overrides": {"profileName": "זהיר"}, "iterations": [iteration(1, output="נכשל")]}
    visit.answers("/work-orders/rtl7", data(work_order(id="rtl7", taskPrompt=RIGHT_TO_LEFT)))
    visit.answers("/runs/run-rtl7-1", data(shown))
    visit.answers("/runs/run-rtl7-1/log", data(log(RIGHT_TO_LEFT)))
    visit.go("/runs/run-rtl7-1/")
    visit.press("Iteration 1")
    visit.sees("נכשל")


@scene("run-log-missing", "Run, its log could not be loaded")
def log_missing(visit: Visit) -> None:
    visit.answers(f"/runs/{RUN_ID}/log", refusal(500, "INTERNAL_ERROR"))
    shows(visit, "The log could not be loaded.", "failed", iterationCount=2)


@scene("run-log-cut", "Run, its log begins before the page")
def log_cut(visit: Visit) -> None:
    part = log() | {"offset": 9000, "nextOffset": 9000 + len(LOG_TEXT), "size": 9000}
    visit.answers(f"/runs/{RUN_ID}/log", data(part))
    shows(visit, "Earlier lines are in the download", "failed", logSize=9000)


@scene("run-from-the-list", "Run, shown from the list only")
def from_the_list(visit: Visit) -> None:
    run_id = "run-tried42-1"
    listed = run(1, id=run_id, workOrderId=TRIED)
    visit.answers(f"/work-orders/{TRIED}", data(work_order(id=TRIED, runs=[listed])))
    visit.answers(f"/runs/{run_id}", refusal(500, "INTERNAL_ERROR"))
    visit.go(f"/runs/{run_id}/")
    visit.sees("The runs API failed to show this run.")


@scene("run-work-order-missing", "Run, its work order could not be loaded")
def work_order_missing(visit: Visit) -> None:
    visit.answers(f"/runs/{RUN_ID}", data(run(2, logSize=None)))
    visit.answers(f"/work-orders/{ID}", refusal(500, "INTERNAL_ERROR"))
    visit.go(f"/runs/{RUN_ID}/")
    visit.sees("The work order could not be loaded")


@scene("run-accepted", "Run, accepted and waited for", scripts=Scripts.BOTH)
def accepted(visit: Visit) -> None:
    visit.answers("/work-orders/fresh7", data(work_order(id="fresh7")))
    answer = {"runId": "run-fresh7-1795430617725", "status": "building", "startedAt": ago(0)}
    visit.answers("/work-orders/fresh7/runs", data(answer, 202), "POST")
    visit.go("/work-orders/fresh7/trigger/")
    visit.press("Start Run")
    visit.sees("Run accepted, waiting for it to appear.")


@scene("run-never-appeared", "Run, accepted, it never appeared")
def never_appeared(visit: Visit) -> None:
    visit.answers("/work-orders/ghost7", data(work_order(id="ghost7")))
    visit.go(f"/runs/{NEVER_APPEARED}/")
    visit.sees("Run accepted, but it never appeared.")


@scene("run-several", "Run, accepted, several could be it")
def several(visit: Visit) -> None:
    began = {"workOrderId": "twins7", "queuedAt": at(30), "startedAt": at(30)}
    twins = [run(number, **began) for number in (1, 2)]
    visit.answers("/work-orders/twins7", data(work_order(id="twins7", runs=twins)))
    visit.go(f"/runs/{ONE_OF_SEVERAL}/")
    visit.sees("it cannot be told which one it is")


@scene("run-404", "Run, 404")
def run_404(visit: Visit) -> None:
    visit.go("/runs/gone/")
    visit.sees("does not exist, or no longer does.")


@scene("run-api-down", "Run, API down")
def run_api_down(visit: Visit) -> None:
    visit.api_leaves()
    visit.go(f"/runs/{RUN_ID}/")
    visit.sees("The runs API has not answered since")


@scene("run-api-resets", "Run, one answer of the API is lost")
def run_api_resets(visit: Visit) -> None:
    visit.answers(f"/runs/{RUN_ID}", reset)
    visit.go(f"/runs/{RUN_ID}/")
    visit.sees("Cannot reach the runs API.")


@scene("run-viewer", "Run, a viewer: no buttons", who=Who.VIEWER)
def viewer(visit: Visit) -> None:
    running(visit)


@scene("run-no-work-order", "Run, of a work order that is not told")
def no_work_order(visit: Visit) -> None:
    shows(visit, "Run #2", "failed", workOrderId="", logSize=None, maxIterations=None)
