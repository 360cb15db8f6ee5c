"""The list of work orders, and the page of one."""

from typing import Any

from playwright.sync_api import expect

from tests.scenes.data import (
    ID,
    LONG_ID,
    LONG_PROMPT,
    PROMPT,
    RIGHT_TO_LEFT,
    STATUSES,
    STRANGE,
    at,
    run,
    runs,
    work_order,
)
from tests.scenes.scene import Gallery, Scripts, Visit, Who
from tests.scenes.seed import TRIED
from tests.support.runs_api import Asked, Handler, Reply, data, items, refusal

gallery = Gallery()
scene = gallery.scene
PAGE = f"/work-orders/{ID}/"


def listed(total: int) -> Reply:
    """So many work orders with one status after the other, as many at once as are asked for."""
    orders = [
        work_order(
            id=f"wo-{number:03}",
            taskPrompt=f"{PROMPT}, part {number}",
            status=STATUSES[number % len(STATUSES)],
            runCount=number % 4,
            createdAt=at(number),
        )
        for number in range(total)
    ]

    def reply(handler: Handler, asked: Asked) -> None:
        offset, limit = (int(asked.query.get(name, "0")) for name in ("offset", "limit"))
        items(*orders[offset : offset + limit], total=total, offset=offset)(handler, asked)

    return reply


@scene("list", "Work orders, every status", scripts=Scripts.BOTH)
def full(visit: Visit) -> None:
    visit.answers("/work-orders", listed(45))
    visit.go("/work-orders/")
    visit.sees("Page 1 of 3")


@scene("list-strange-text", "Work orders, all their text is strange")
def strange_list(visit: Visit) -> None:
    visit.answers("/work-orders", items(work_order(taskPrompt=STRANGE, status=STRANGE)))
    visit.go("/work-orders/")
    visit.sees("[U+202E]")


@scene("work-order-strange-text", "Work order, all its text is strange")
def strange_text(visit: Visit) -> None:
    about = {"profileName": STRANGE, "workspaceSource": {"path": STRANGE}, "status": STRANGE}
    listed = [run(2, STRANGE), run(1, "\ufdfd" * 20)]
    visit.answers(PAGE.rstrip("/"), data(work_order(taskPrompt=STRANGE, runs=listed, **about)))
    visit.go(PAGE)
    visit.sees("[U+202E]")


@scene("list-filtered", "Work orders, filtered")
def filtered(visit: Visit) -> None:
    visit.answers("/work-orders", items(work_order(), work_order(id="abc124")))
    visit.go("/work-orders/?q=login&status=failed")
    visit.sees("abc124")


@scene("list-no-match", "Work orders, nothing matches")
def no_match(visit: Visit) -> None:
    visit.answers("/work-orders", items())
    visit.go("/work-orders/?q=nothing+like+it&status=failed")
    visit.sees("No work order matches.")


@scene("list-empty", "Work orders, none yet")
def empty(visit: Visit) -> None:
    visit.answers("/work-orders", items())
    visit.go("/work-orders/")
    visit.sees("No work orders yet.")


@scene("list-page-2", "Work orders, second page")
def second_page(visit: Visit) -> None:
    visit.answers("/work-orders", listed(45))
    visit.go("/work-orders/?page=2")
    visit.sees("Page 2 of 3")


@scene("list-past-the-end", "Work orders, past the last page")
def past_the_end(visit: Visit) -> None:
    visit.answers("/work-orders", listed(45))
    visit.go("/work-orders/?page=9")
    visit.sees("There is nothing on this page.")


@scene("list-long", "Work orders, very long prompts and IDs")
def long_rows(visit: Visit) -> None:
    long_orders = (
        work_order(id=LONG_ID, taskPrompt=LONG_PROMPT),
        work_order(taskPrompt="unbreakable" * 40, status="running", runCount=12345),
        work_order(id="wo-silent", taskPrompt="", status="a-status-of-another-version"),
    )
    visit.answers("/work-orders", items(*long_orders))
    visit.go("/work-orders/")
    visit.sees("(no prompt)")


@scene("list-right-to-left", "Work orders, words that run from right to left")
def list_right_to_left(visit: Visit) -> None:
    visit.answers("/work-orders", items(work_order(taskPrompt=RIGHT_TO_LEFT), work_order(id="b")))
    visit.go("/work-orders/?q=תקן")
    visit.sees(RIGHT_TO_LEFT)


@scene("list-not-all-searched", "Work orders, an API that cannot search")
def not_all_searched(visit: Visit) -> None:
    visit.answers("/work-orders", listed(1100))
    visit.go("/work-orders/?q=part+7")
    visit.sees("This runs API cannot search.")


@scene("list-api-down", "Work orders, API down", scripts=Scripts.BOTH)
def list_api_down(visit: Visit) -> None:
    visit.api_leaves()
    visit.go("/work-orders/")
    visit.sees("The runs API has not answered since")


def shows(visit: Visit, text: str, **fields: Any) -> None:
    """The page of the work order, which is settled when it says ``text``."""
    order = work_order(**fields)
    visit.answers(f"/work-orders/{order['id']}", data(order))
    visit.go(f"/work-orders/{order['id']}/")
    visit.sees(text)


@scene("work-order-failed", "Work order, failed", scripts=Scripts.BOTH)
def failed(visit: Visit) -> None:
    shows(visit, "Runs (2)", runs=runs(2))


@scene("work-order-never-run", "Work order, never run")
def never_run(visit: Visit) -> None:
    shows(visit, "No runs yet.", status="queued", profileName="", maxTime=None)


@scene("work-order-running", "Work order, running: the button is disabled", scripts=Scripts.BOTH)
def running(visit: Visit) -> None:
    shows(visit, "Runs (2)", status="running", runs=runs(2, "running"))


@scene(
    "work-order-reason",
    "Work order, the disabled button has the focus and says why",
    scripts=Scripts.BOTH,
)
def reason(visit: Visit) -> None:
    running(visit)
    visit.page.locator("#trigger-run-button").focus()
    expect(visit.page.get_by_text("is in progress, started")).to_have_css("opacity", "1")


@scene("work-order-queued", "Work order, a run is queued")
def queued(visit: Visit) -> None:
    newest = run(2, "queued", queuePosition=3)
    shows(visit, "3rd in the queue", status="failed", runs=[newest, run(1)])


@scene("work-order-succeeded", "Work order, succeeded: no button")
def succeeded(visit: Visit) -> None:
    shows(visit, "succeeded", status="succeeded", runs=runs(2, "succeeded"))


@scene("work-order-cancelled", "Work order, cancelled: no button")
def cancelled(visit: Visit) -> None:
    shows(visit, "cancelled", status="canceled", runs=runs(1, "canceled"))


@scene("work-order-status-unknown", "Work order, a status nobody knows")
def status_unknown(visit: Visit) -> None:
    shows(visit, "paused", status="paused", runs=[run(1, imported=True)])


@scene("work-order-30-runs", "Work order, 30 runs")
def thirty_runs(visit: Visit) -> None:
    shows(visit, "Runs (30)", runs=runs(30))


@scene("work-order-paged-runs", "Work order, more runs than a page holds")
def paged_runs(visit: Visit) -> None:
    shows(visit, "Page 1", runs=runs(60)[:50], runCount=60)


@scene("work-order-runs-not-loadable", "Work order, runs not loadable")
def runs_not_loadable(visit: Visit) -> None:
    order = work_order(runs=runs(60)[:50], runCount=60)
    visit.answers(PAGE.removesuffix("/"), data(order))
    visit.answers("/runs", refusal(500, "INTERNAL_ERROR"))
    visit.go(f"{PAGE}?page=2")
    visit.sees("These runs could not be loaded.")


@scene("work-order-long-prompt", "Work order, a very long prompt")
def long_prompt(visit: Visit) -> None:
    shows(visit, "Show the whole prompt", taskPrompt=LONG_PROMPT, runs=runs(2))


@scene("work-order-whole-prompt", "Work order, a very long prompt, opened")
def whole_prompt(visit: Visit) -> None:
    long_prompt(visit)
    visit.press("Show the whole prompt")
    visit.sees("step 18")


@scene("work-order-long-words", "Work order, words that do not fit on a line")
def long_words(visit: Visit) -> None:
    place = {"type": "local", "path": "/srv/" + "repository" * 20}
    newest = run(2, workOrderId=LONG_ID, runNumber=None, id="run-" + "9" * 120, startedAt=None)
    shows(
        visit,
        "Work Order:",
        id=LONG_ID,
        taskPrompt="unbreakable" * 40,
        workspaceSource=place,
        profileName="profile" * 20,
        status="a-status-of-another-version-of-the-api",
        runs=[newest],
    )


@scene("work-order-attempts", "Work order, start attempts, failed ones too")
def attempts(visit: Visit) -> None:
    shows(visit, "Not known yet", id=TRIED, runs=[run(3, workOrderId=TRIED, id="run-tried42-3")])


@scene(
    "work-order-right-to-left",
    "Work order, words that run from right to left",
    scripts=Scripts.BOTH,
)
def right_to_left(visit: Visit) -> None:
    words = {"taskPrompt": RIGHT_TO_LEFT, "profileName": "זהיר", "status": "מושהה"}
    place = {"type": "local", "path": "/srv/מאגר"}
    newest = run(1, id="run-rtl7-1", workOrderId="rtl7", status="מושהה")
    shows(visit, RIGHT_TO_LEFT, id="rtl7", workspaceSource=place, runs=[newest], **words)
    visit.press("Start attempts")
    visit.sees("דנה")


@scene("work-order-viewer", "Work order, a viewer: no button", who=Who.VIEWER)
def viewer(visit: Visit) -> None:
    failed(visit)


@scene("work-order-api-down", "Work order, API down")
def work_order_api_down(visit: Visit) -> None:
    visit.api_leaves()
    visit.go(PAGE)
    visit.sees("The runs API has not answered since")


@scene("work-order-api-fails", "Work order, the API fails")
def work_order_api_fails(visit: Visit) -> None:
    visit.answers(PAGE.removesuffix("/"), refusal(500, "INTERNAL_ERROR", "Out of memory"))
    visit.go(PAGE)
    visit.sees("The runs API did not give an answer that can be shown.")


@scene("work-order-404", "Work order, 404")
def work_order_404(visit: Visit) -> None:
    visit.go("/work-orders/gone/")
    visit.sees("does not exist, or no longer does.")


@scene("attempts", "Start attempts", scripts=Scripts.BOTH)
def attempt_page(visit: Visit) -> None:
    visit.go(f"/work-orders/{TRIED}/attempts/")
    visit.sees("Page 1")


@scene("attempts-page-2", "Start attempts, second page", who=Who.VIEWER)
def attempt_page_2(visit: Visit) -> None:
    visit.go(f"/work-orders/{TRIED}/attempts/?page=2")
    visit.sees("Page 2")
