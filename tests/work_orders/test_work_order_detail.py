"""The page of a work order."""

import re

import pytest
from django.test import Client

from tests.support import runs_api as api
from tests.support.page_text import show, text_of
from tests.support.runs_api import RunsAPI


def test_detail_has_the_header_of_the_specification(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has(createdAt="2026-01-02T10:00:00Z")
    text = text_of(show(operator, "/work-orders/wo-1/"))
    assert "Back to Work Orders Work Order: wo-1 Status: failed Trigger New Run" in text
    assert "Prompt: Fix the login Created: Jan 2, 2026 at 10:00 AM" in text


def test_detail_has_workspace_profile_and_limits(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has(
        workspaceSource={"type": "local", "path": "/srv/shop"},
        profileName="careful",
        maxIterations=8,
        maxTime=600,
    )
    text = text_of(show(operator, "/work-orders/wo-1/"))
    assert "Workspace /srv/shop Profile careful Max iterations 8 Time limit 10 min" in text


def test_detail_shows_status_times_and_iterations_of_each_run(
    runs_api: RunsAPI, operator: Client
) -> None:
    times = {"startedAt": "2026-01-02T10:00:00Z", "completedAt": "2026-01-02T10:02:05Z"}
    run = {"id": "run-1", "runNumber": 1, "status": "failed", "iterationCount": 3}
    runs_api.has(runs=[run | times])
    text = text_of(show(operator, "/work-orders/wo-1/"))
    assert "Run Status Started Duration Iterations" in text
    assert "Run #1 failed Jan 2, 2026 at 10:00 AM UTC 2 min 5 s 3" in text


@pytest.mark.parametrize(
    ("later", "words"),
    [
        ({"status": "cancelled"}, "Run #1 cancelled Jan 2, 2026 at 10:00 AM UTC 2 min 5 s 3"),
        ({"iterationCount": 4}, "Run #1 failed Jan 2, 2026 at 10:00 AM UTC 2 min 5 s 4"),
        ({"triggeredBy": "nightly"}, "Run #1 by the API key nightly failed"),
        ({"imported": True}, "Run #1 history failed"),
    ],
)
def test_a_run_that_is_over_is_shown_as_it_is_now(
    runs_api: RunsAPI, operator: Client, later: dict[str, object], words: str
) -> None:
    """Rows of such runs are kept."""
    run: dict[str, object] = {
        "id": "run-1",
        "runNumber": 1,
        "status": "failed",
        "iterationCount": 3,
        "startedAt": "2026-01-02T10:00:00Z",
        "completedAt": "2026-01-02T10:02:05Z",
    }
    runs_api.has(runs=[run])
    show(operator, "/work-orders/wo-1/")
    runs_api.has(runs=[run | later])
    assert words in text_of(show(operator, "/work-orders/wo-1/"))


@pytest.mark.parametrize(
    ("status", "seconds"), [("queued", 2), ("running", 2), ("failed", 15), ("succeeded", 15)]
)
def test_detail_refreshes_more_often_while_a_run_is_active(
    runs_api: RunsAPI, operator: Client, status: str, seconds: int
) -> None:
    runs_api.has(status=status, runs=[{"id": "run-1", "runNumber": 1, "status": status}])
    assert f'data-live="{seconds}"' in show(operator, "/work-orders/wo-1/")


def test_detail_lists_runs_newest_first(runs_api: RunsAPI, operator: Client) -> None:
    runs = [{"id": f"run-{n}", "runNumber": n, "status": "failed"} for n in (1, 3, 2)]
    runs_api.has(runs=runs)
    html = show(operator, "/work-orders/wo-1/")
    assert "Runs (3)" in html
    assert re.findall(r'id="run-run-(\d)" href="/runs/run-\1/">Run #\1<', html) == ["3", "2", "1"]


def test_detail_shows_that_there_are_no_runs(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has()
    html = show(operator, "/work-orders/wo-1/")
    assert "Runs (0)" in html
    assert "No runs yet." in html


def test_detail_shows_fifty_runs_at_once(runs_api: RunsAPI, operator: Client) -> None:
    runs = [{"id": f"run-{n}", "runNumber": n, "status": "failed"} for n in range(1, 61)]
    runs_api.has(runs=runs)
    html = show(operator, "/work-orders/wo-1/")
    assert "Runs (60)" in html
    assert len(re.findall(r'id="run-run-\d+"', html)) == 50
    assert 'id="runs-older" class="button" rel="next" href="?page=2"' in html


def test_detail_shows_the_second_page_of_runs(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has(runCount=51)
    old = {"id": "run-1", "runNumber": 1, "status": "failed"}
    runs_api.on("GET", "/runs", api.items(old, total=51, limit=50, offset=50))
    html = show(operator, "/work-orders/wo-1/?page=2")
    read = [asked.query for asked in runs_api.asked if asked.path == "/runs"]
    assert ("wo-1", "50") in [(query["workOrderId"], query["offset"]) for query in read]
    assert "Run #1" in html
    assert "Runs (51)" in html


def test_detail_shows_an_unknown_status(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has(status="waiting_for_children")
    text = text_of(show(operator, "/work-orders/wo-1/"))
    assert "Status: waiting_for_children" in text
    assert "Status unknown: waiting_for_children" in text


def test_detail_spells_cancelled_as_specified(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has(status="canceled")
    assert "Status: cancelled" in text_of(show(operator, "/work-orders/wo-1/"))


def test_detail_shows_that_the_work_order_does_not_exist(
    runs_api: RunsAPI, operator: Client
) -> None:
    html = show(operator, "/work-orders/gone/", status=404)
    assert "Work Order: gone does not exist, or no longer does." in html
    assert 'href="/work-orders/"' in html


def test_detail_expands_a_long_prompt_in_place(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has(taskPrompt="line\n" * 200 + "the end")
    html = show(operator, "/work-orders/wo-1/")
    assert "Show the whole prompt" in html
    assert "the end" in html
