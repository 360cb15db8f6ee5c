"""The page of a run and of its log, also when parts of the data are missing."""

from collections.abc import Mapping
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support import runs_api as api
from tests.support.attempts import attempted
from tests.support.page_text import LOG, show, text_of, version_of
from tests.support.runs_api import RunsAPI
from workorders.runs.log_download import MAX_PER_USER
from workorders.runs_api.client import RunsClient


def test_run_without_a_work_order_id_is_linked_by_its_attempt(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    attempted(operator_user)
    runs_api.has(runs=[{"id": "run-1", "status": "running"}])
    runs_api.has_run(workOrderId=None, runNumber=None, status="running")
    html = show(operator, "/runs/run-1/")
    assert 'href="/work-orders/wo-1/"' in html
    assert "Cancel run" in html
    assert "Fix the login" in html


def test_run_page_shows_duration_and_work_order(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has()
    runs_api.has_run(startedAt="2026-01-02T10:00:00Z", completedAt="2026-01-02T10:02:05Z")
    html = show(operator, "/runs/run-1/")
    assert "2 min 5 s" in html
    assert '<a href="/work-orders/wo-1/">' in html


def test_run_page_shows_that_the_run_does_not_exist(runs_api: RunsAPI, operator: Client) -> None:
    assert "Run gone does not exist" in show(operator, "/runs/gone/", status=404)


def test_run_page_works_without_the_work_order(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(error="Out of memory")
    runs_api.on("GET", "/work-orders/wo-1", api.refusal(500, "INTERNAL_ERROR"))
    html = show(operator, "/runs/run-1/")
    assert "Out of memory" in html
    assert "trigger-run-button" not in html


def test_run_page_works_without_the_log(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(logSize=100)
    runs_api.on("GET", "/runs/run-1/log", api.refusal(500, "INTERNAL_ERROR"))
    assert "The log could not be loaded." in show(operator, "/runs/run-1/")


def test_run_page_omits_the_log_of_an_api_without_logs(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run()
    assert "log-title" not in show(operator, "/runs/run-1/")


def test_queued_run_page_works_without_queue_health(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(status="queued")
    runs_api.on("GET", "/queue/health", api.refusal(500, "INTERNAL_ERROR"))
    assert "In the queue." in text_of(show(operator, "/runs/run-1/")).replace(" .", ".")


@pytest.mark.parametrize(
    ("running", "slots", "words"),
    [
        (1, 1, "2nd in the queue, 1 of 1 slot busy."),
        (2, 5, "2nd in the queue, 2 of 5 slots busy."),
        (0, 0, "2nd in the queue, no worker is running: the run starts when one does."),
        (None, None, "2nd in the queue."),
    ],
)
def test_queued_run_shows_its_place_in_the_queue(
    runs_api: RunsAPI, operator: Client, running: int | None, slots: int | None, words: str
) -> None:
    runs_api.has_run(status="queued", queuePosition=2)
    stats = {"stats": {"running": running, "maxConcurrent": slots}}
    runs_api.on("GET", "/queue/health", api.data(stats))
    assert words in text_of(show(operator, "/runs/run-1/"))


def test_queued_run_links_to_the_run_it_waits_for(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(status="queued", waitingFor={"runId": "run-0", "runNumber": 7})
    html = show(operator, "/runs/run-1/")
    assert '<a id="waiting-for" href="/runs/run-0/">Run #7</a>' in html


def test_run_shows_its_overrides(runs_api: RunsAPI, operator: Client) -> None:
    overrides = {"profileOverrides": {"loopStrategy": {"maxIterations": 7}}}
    runs_api.has_run(overrides=overrides | {"profileName": "careful"})
    text = text_of(show(operator, "/runs/run-1/"))
    assert "Overrides Max Iterations 7 Profile careful" in text


def test_imported_run_is_marked(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(imported=True)
    assert "history: not executed here" in show(operator, "/runs/run-1/")


@pytest.mark.parametrize(
    ("passed", "words"), [(True, "Verification passed"), (False, "Verification failed")]
)
def test_run_shows_each_verification(
    runs_api: RunsAPI,
    operator: Client,
    passed: bool,  # noqa: FBT001
    words: str,
) -> None:
    verification = {"passed": passed, "output": "2 tests"}
    runs_api.has_run(iterations=[{"number": 1, "status": "done", "verification": verification}])
    text = text_of(show(operator, "/runs/run-1/"))
    assert words in text
    assert "2 tests" in text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "ended with exit code 3 ·"),
        (-9, "ended with exit code -9 (SIGKILL: killed, often because memory ran out)"),
        (137, "ended with exit code 137 (SIGKILL: killed, often because memory ran out)"),
        (143, "ended with exit code 143 (SIGTERM: asked to end)"),
        (126, "ended with exit code 126 (a command could not be executed)"),
        (127, "ended with exit code 127 (a command was not found)"),
        (-64, "ended with exit code -64 (ended by signal 64)"),
        (129, "ended with exit code 129 ·"),
    ],
)
def test_run_explains_exit_codes_in_words(
    runs_api: RunsAPI, operator: Client, code: int, words: str
) -> None:
    verification = {"passed": False, "exitCode": code, "output": ""}
    runs_api.has_run(
        iterations=[
            {"number": 1, "status": "failed", "agentExitCode": code},
            {"number": 2, "status": "failed", "agentExitCode": 0, "verification": verification},
        ]
    )
    text = text_of(show(operator, "/runs/run-1/"))
    assert f"Agent {words}" in text
    assert ("Verification failed" if "·" in words else f"Verification {words}") in text


def log_query(runs_api: RunsAPI) -> Mapping[str, str]:
    """The query parameters of the request that read the log."""
    return next(asked.query for asked in runs_api.asked if asked.path.endswith("/log"))


def test_run_shows_the_end_of_its_log(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(logSize=100)
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG))
    html = show(operator, "/runs/run-1/")
    assert "last line" in html
    assert "Earlier lines are in the download" in html
    assert int(log_query(runs_api)["offset"]) < 0


def test_run_log_continues_where_the_page_ends(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(logSize=100, status="running")
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG))
    html = show(operator, "/runs/run-1/?log=90", htmx=True)
    assert log_query(runs_api)["offset"] == "90"
    assert '<span id="log-text" hx-swap-oob="beforeend">last line\n</span>' in html


def test_run_log_that_grew_is_refreshed_even_when_the_run_is_unchanged(
    runs_api: RunsAPI, operator: Client
) -> None:
    """The run has not changed since the page was loaded; only the log has."""
    runs_api.has_run(logSize=100, status="running")
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG | {"nextOffset": 50}))
    version = version_of(show(operator, "/runs/run-1/?log=0", htmx=True))
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG))
    html = show(operator, f"/runs/run-1/?log=50&version={version}", htmx=True)
    assert 'name="log" value="100"' in html


@pytest.mark.parametrize("log", ["x", "-1", "9" * 5000, "", "²"])
def test_run_log_of_a_malformed_offset_is_shown(
    runs_api: RunsAPI, operator: Client, log: str
) -> None:
    runs_api.has_run(logSize=100)
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG))
    assert "last line" in show(operator, f"/runs/run-1/?log={log}", htmx=True)


def test_run_log_can_be_downloaded(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG | {"text": "<b>all of it"}))
    response = operator.get("/runs/run-1/log/")
    assert b"".join(response) == b"<b>all of it"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="run-1.log"'
    assert response["X-Content-Type-Options"] == "nosniff"


def test_interrupted_log_download_ends_with_a_notice(runs_api: RunsAPI, operator: Client) -> None:
    def breaking(handler: api.Handler, asked: api.Asked) -> None:
        first = asked.query["offset"] == "0"
        part = {"text": "begin", "nextOffset": 5, "size": 9}
        (api.data(part) if first else api.reset)(handler, asked)

    runs_api.on("GET", "/runs/run-1/log", breaking)
    text = show(operator, "/runs/run-1/log/")
    assert text.startswith("begin\n[The log could not be read further: ")


def test_failed_downloads_release_their_slot(
    runs_api: RunsAPI, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG))
    with monkeypatch.context() as broken:
        broken.setattr(RunsClient, "iterate_log", lambda *_: (1 // 0 for _ in [1]))
        for _ in range(MAX_PER_USER):
            with pytest.raises(ZeroDivisionError):
                operator.get("/runs/run-1/log/")
    assert operator.get("/runs/run-1/log/").status_code == 200


def test_log_download_reports_that_the_api_is_down(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.go_away()
    assert "The runs API has not answered since" in show(operator, "/runs/run-1/log/", status=503)


@pytest.mark.parametrize("run_id", ["a%0d%0aX-Bad:%201", "%22;x=%22", "%C3%BC"])
def test_log_download_of_an_odd_id_sets_no_header(
    runs_api: RunsAPI, operator: Client, run_id: str
) -> None:
    runs_api.on("GET", f"/runs/{unquote(run_id)}/log", api.data(LOG))
    response = operator.get(f"/runs/{run_id}/log/")
    assert response.status_code == 200
    assert "X-Bad" not in response


def test_provisional_run_id_redirects_to_its_work_order(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    """Recorded from a real server: the run that an accepting response names may never exist."""
    runs_api.has()
    attempted(operator_user, run_id="run-wo-1-17", was_sent=False)
    response = operator.get("/runs/run-wo-1-17/")
    assert response["Location"] == "/work-orders/wo-1/"


def test_run_log_shows_the_last_state_of_a_progress_bar(
    runs_api: RunsAPI, operator: Client
) -> None:
    runs_api.has_run(logSize=12)
    part = {"text": "10%\r20%\r\n", "offset": 0, "nextOffset": 12, "size": 12}
    runs_api.on("GET", "/runs/run-1/log", api.data(part))
    assert '<span id="log-text">20%\n</span>' in show(operator, "/runs/run-1/")


def test_run_log_far_behind_continues_at_the_end(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(status="running", logSize=9_000_000)
    part = {"text": "the end", "offset": 8_999_993, "nextOffset": 9_000_000, "size": 9_000_000}
    runs_api.on("GET", "/runs/run-1/log", api.data(part))
    html = show(operator, "/runs/run-1/?log=1000", htmx=True)
    assert "8.6\xa0MB left out here" in html
    assert "the end" in html


FAILED = api.refusal(500, "INTERNAL_ERROR", "Failed to get run")
LISTED = {"id": "run-1", "status": "succeeded", "startedAt": "2026-11-23T10:43:30.498Z"}


def test_run_that_the_api_fails_to_show_is_shown_as_listed_by_its_work_order(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    """Recorded from a real server: 500 for a run that has succeeded."""
    attempted(operator_user, run_id="run-1")
    runs_api.on("GET", "/runs/run-1", FAILED)
    runs_api.has(status="succeeded", runs=[LISTED])
    html = show(operator, "/runs/run-1/")
    assert "<title>Run #1 succeeded · Work order wo-1" in html
    assert "The runs API failed to show this run." in html


def test_run_that_the_api_fails_to_show_is_found_among_the_newest(
    runs_api: RunsAPI, operator: Client
) -> None:
    runs_api.on("GET", "/runs/run-1", FAILED)
    runs_api.on("GET", "/runs", api.items(LISTED))
    html = show(operator, "/runs/run-1/")
    assert "Run run-1" in html
    assert 'data-status="succeeded"' in html


def test_run_that_is_in_no_list_is_not_shown(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/runs/run-1", FAILED)
    runs_api.on("GET", "/runs", api.items())
    assert "Failed to get run" in show(operator, "/runs/run-1/", 503)


def test_run_without_a_work_order_id_reads_no_work_order(
    runs_api: RunsAPI, operator: Client
) -> None:
    runs_api.has_run(workOrderId=None)
    show(operator, "/runs/run-1/")
    assert [asked.path for asked in runs_api.asked] == ["/runs/run-1"]
