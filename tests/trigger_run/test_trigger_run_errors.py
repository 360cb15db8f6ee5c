"""One test for each row of the error table, through a real server, with htmx and without."""

import re
from html import unescape
from typing import Any

import pytest
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.runs_api import REQUEST_ID, Asked, Handler, RunsAPI, answer, refusal
from tests.support.trigger_form import Answered, TriggerForm

ACTIVE_RUN = {"id": "run-7", "runNumber": 7, "status": "running"}
TYPED = {"max_iterations": "7", "profile_name": "careful"}


@pytest.fixture(autouse=True)
def _failed_work_order(runs_api: RunsAPI) -> None:
    runs_api.has()
    runs_api.on("GET", "/profiles", api.items({"name": "careful"}))
    runs_api.on("GET", "/work-orders", api.items())


def text_of(html: str) -> str:
    """What a person reads: no tags, no runs of blanks."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)))


def error_of(answered: Answered) -> str:
    found = re.search(r'<div id="dialog-error".*?<div id="network-error"', answered.html, re.DOTALL)
    assert found, "the dialog shows no error"
    return text_of(found[0])


def toasts_of(page: str) -> str:
    found = re.search(r'<div id="toasts".*?<div id="new-toasts"', page, re.DOTALL)
    assert found
    return found[0]


def is_kept(answered: Answered) -> bool:
    """The dialog stays, with what the operator typed."""
    return (
        answered.location == ""
        and 'value="7"' in answered.html
        and '<option value="careful" selected>' in answered.html
    )


def options_open(answered: Answered) -> bool:
    return re.search(r'<details class="advanced"\s+open>', answered.html) is not None


# --- The specification's table


def test_run_already_active(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(409, "RUN_ALREADY_ACTIVE", "Work order already has an active run"))
    answered = form.send()
    assert answered.location == "/work-orders/wo-1/"
    message = "A run is already in progress for this work order"
    assert message in toasts_of(answered.next_page)


def test_run_already_active_links_the_run_that_blocks(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(409, "RUN_ALREADY_ACTIVE"))
    runs_api.has(status="running", runs=[ACTIVE_RUN])
    assert '<a href="/runs/run-7/">View Run #7</a>' in toasts_of(form.send().next_page)


def test_run_already_active_links_the_run_the_api_names(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    details = {"runId": "run-8", "runNumber": 8}
    runs_api.triggers(refusal(409, "RUN_ALREADY_ACTIVE", details=details))
    assert '<a href="/runs/run-8/">View Run #8</a>' in toasts_of(form.send().next_page)


def test_run_already_active_with_a_run_id_that_is_none(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.triggers(refusal(409, "RUN_ALREADY_ACTIVE", details={"runId": {"odd": True}}))
    assert "A run is already in progress" in toasts_of(form.send().next_page)


def test_work_order_complete(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(403, "WORK_ORDER_COMPLETE", "Cannot trigger run"))
    runs_api.has(status="succeeded")
    answered = form.send()
    assert answered.location == "/work-orders/wo-1/"
    page = answered.next_page
    assert "This work order has already succeeded" in toasts_of(page)
    assert "Trigger New Run" not in page


@pytest.mark.parametrize("status", [202, 409, 429, 503])
def test_capacity_exceeded_goes_to_the_queued_run(
    runs_api: RunsAPI, form: TriggerForm, status: int
) -> None:
    details = {"runId": "run-9", "runNumber": 9, "status": "queued", "queuePosition": 2}
    runs_api.triggers(refusal(status, "CAPACITY_EXCEEDED", details=details))
    runs_api.has_run(id="run-9", runNumber=9, status="queued", queuePosition=2)
    answered = form.send()
    assert answered.location == "/runs/run-9/"
    page = answered.next_page
    assert "Server at capacity. Your run has been queued." in toasts_of(page)
    assert "Position in the queue: 2." in toasts_of(page)
    assert "2nd in the queue" in text_of(page)


def test_capacity_exceeded_without_a_run_goes_to_the_run_that_appeared(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    def queue_a_run(handler: Handler, asked: Asked) -> None:
        runs_api.has(status="queued", runs=[{"id": "run-9", "runNumber": 9, "status": "queued"}])
        refusal(503, "CAPACITY_EXCEEDED")(handler, asked)

    runs_api.triggers(queue_a_run)
    runs_api.has_run(id="run-9", runNumber=9, status="queued")
    assert form.send().location == "/runs/run-9/"


def test_capacity_exceeded_without_a_run_tells_the_position(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.triggers(refusal(503, "CAPACITY_EXCEEDED"))
    runs_api.on("GET", "/queue/position/wo-1", api.data({"position": 4}))
    answered = form.send()
    assert (answered.status, answered.location) == (200, "")
    words = "Server at capacity. Your run has been queued. Position in the queue: 4."
    assert words in text_of(answered.html)


def test_capacity_exceeded_without_run_and_position(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(503, "CAPACITY_EXCEEDED"))
    answered = form.send()
    assert "Server at capacity. Your run has been queued." in text_of(answered.html)
    assert "Position in the queue" not in answered.html


def test_capacity_exceeded_offers_no_second_start(runs_api: RunsAPI, form: TriggerForm) -> None:
    """Nor is another run, which has gone on meanwhile, called the reason."""
    runs_api.has(status="queued", runs=[ACTIVE_RUN | {"status": "queued"}])

    def queue_a_run(handler: Handler, asked: Asked) -> None:
        runs_api.has(status="running", runs=[ACTIVE_RUN])
        refusal(503, "CAPACITY_EXCEEDED")(handler, asked)

    for reply in (refusal(503, "CAPACITY_EXCEEDED"), queue_a_run):
        runs_api.triggers(reply)
        html = TriggerForm(form.client, form.headers).send().html
        assert "Server at capacity. Your run has been queued." in html
        assert 'id="start-run"' not in html
        assert "Start a new run for this work order?" not in html
        assert "already in progress" not in html
        assert 'href="/work-orders/wo-1/">Show the work order</a>' in html


def assert_network_error(answered: Answered) -> None:
    assert answered.status == 422
    assert "Could not connect to server. Please try again." in error_of(answered)
    assert re.search(r'<span class="label">Retry</span>', answered.html)
    assert answered.location == ""
    assert 'value="7"' in answered.html


def test_network_error_refused(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.go_away()
    answered = form.send(max_iterations="7")
    assert_network_error(answered)
    details = error_of(answered).partition("Details")[2]
    words = f"RUNS_API_URL is {runs_api.url}, and nothing listens there"
    assert words in details


def test_network_error_before_anything_was_sent(runs_api: RunsAPI, form: TriggerForm) -> None:
    """The work order is read first: where even that fails the trigger has not gone out."""
    runs_api.on("GET", "/work-orders/wo-1", api.reset)
    assert_network_error(form.send(max_iterations="7"))
    assert runs_api.triggered == []


@pytest.mark.usefixtures("impatient")
def test_network_error_time_out(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.on("GET", "/work-orders/wo-1", api.silence)
    assert_network_error(form.send(max_iterations="7"))


def test_retry_after_a_network_error_carries_the_same_key(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.on("GET", "/work-orders/wo-1", api.reset)
    assert f'name="key" value="{form.key}"' in form.send().html
    runs_api.has()
    form.send()
    assert [asked.headers["idempotency-key"] for asked in runs_api.triggered] == [form.key]


@pytest.mark.parametrize("status", [400, 409])
def test_unknown(runs_api: RunsAPI, form: TriggerForm, status: int) -> None:
    runs_api.triggers(refusal(status, "TEAPOT", "Short and stout"))
    answered = form.send(**TYPED)
    assert "An unexpected error occurred" in error_of(answered)
    assert is_kept(answered)


def test_unknown_shows_what_the_api_said(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(400, "TEAPOT", "Short and stout"))
    answered = form.send()
    assert answered.status == 422
    assert f"Short and stout · TEAPOT · request {REQUEST_ID}" in error_of(answered)


# --- Codes the specification leaves open


def test_unauthorized(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(401, "UNAUTHORIZED", "Invalid API key"))
    answered = form.send(**TYPED)
    assert answered.status == 422
    assert "Ask the person who runs the dashboard to check RUNS_API_KEY." in error_of(answered)
    assert "No run was started." in error_of(answered)
    assert is_kept(answered)


def test_unauthorized_read_is_diagnosed_in_the_details(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.on("GET", "/work-orders/wo-1", refusal(401, "UNAUTHORIZED", "Invalid API key"))
    details = error_of(form.send()).partition("Details")[2]
    assert "does not accept RUNS_API_KEY" in details
    assert "Invalid API key" in details


def test_forbidden(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(403, "FORBIDDEN"))
    answered = form.send(**TYPED)
    assert answered.status == 422
    assert "This dashboard's key may not start runs." in error_of(answered)
    assert is_kept(answered)


def test_refusal_of_a_work_order_that_is_gone_by_then(runs_api: RunsAPI, form: TriggerForm) -> None:
    """The refusal is shown with what was typed, not the list of work orders."""

    def refuse_and_remove(handler: Handler, asked: Asked) -> None:
        runs_api.on("GET", "/work-orders/wo-1", refusal(404, "NOT_FOUND"))
        refusal(403, "FORBIDDEN")(handler, asked)

    runs_api.triggers(refuse_and_remove)
    answered = form.send(**TYPED)
    assert "may not start runs" in error_of(answered)
    assert is_kept(answered)


def test_not_found(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(404, "NOT_FOUND"))
    answered = form.send()
    assert answered.location == "/work-orders/"
    assert "This work order no longer exists" in toasts_of(answered.next_page)


@pytest.mark.parametrize("code", ["VALIDATION_ERROR", "BAD_REQUEST"])
@pytest.mark.parametrize(
    ("path", "after"),
    [
        (["profileOverrides", "loopStrategy", "maxIterations"], 'name="max_iterations"'),
        ("profileOverrides.loopStrategy.maxIterations", 'name="max_iterations"'),
        (["profileName"], 'name="profile_name"'),
    ],
)
def test_invalid_options_are_shown_at_the_field_the_api_names(
    runs_api: RunsAPI, form: TriggerForm, code: str, path: Any, after: str
) -> None:
    details = {"errors": [{"path": path, "message": "Not with this workspace"}]}
    runs_api.triggers(refusal(400, code, "Invalid request body", details))
    answered = form.send(**TYPED)
    assert answered.status == 422
    field = answered.html.split(after)[1].split('class="field"')[0]
    assert "Not with this workspace" in field
    assert options_open(answered)
    assert is_kept(answered)


def test_invalid_request_without_a_field_is_shown_above(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    details = {"errors": [{"path": ["elsewhere"], "message": "Something else is wrong"}]}
    runs_api.triggers(refusal(400, "BAD_REQUEST", "Invalid request body", details))
    answered = form.send(**TYPED)
    error = error_of(answered)
    assert "The runs API did not accept these options" in error
    assert "Something else is wrong" in error
    assert is_kept(answered)
    assert options_open(answered)  # what was typed is in force, so it is to be seen
    assert "using Profile careful with Max Iterations 7." in text_of(answered.html)
    assert options_open(form.send(profile_name="careful"))
    assert not options_open(form.send())


@pytest.mark.parametrize("details", [{"errors": "all of it"}, {"errors": [1, None, {}]}, {}])
def test_invalid_request_with_odd_details(
    runs_api: RunsAPI, form: TriggerForm, details: dict[str, Any]
) -> None:
    runs_api.triggers(refusal(400, "VALIDATION_ERROR", "No good", details))
    assert "No good" in error_of(form.send())


@pytest.mark.parametrize(
    ("work_order", "words"),
    [
        ({"status": "succeeded"}, "This work order has already succeeded"),
        ({"status": "canceled"}, "This work order was cancelled"),
        ({"status": "running", "runs": [ACTIVE_RUN]}, "A run is already in progress"),
        # A server may show its work order as queued while the run is built.
        (
            {"status": "queued", "runs": [ACTIVE_RUN | {"status": "building"}]},
            "A run is already in progress",
        ),
    ],
)
def test_conflict_is_told_by_reading_the_work_order_again(
    runs_api: RunsAPI, form: TriggerForm, work_order: dict[str, Any], words: str
) -> None:
    runs_api.triggers(refusal(409, "CONFLICT"))
    runs_api.has(**work_order)
    answered = form.send()
    assert answered.location == "/work-orders/wo-1/"
    assert words in toasts_of(answered.next_page)


def test_conflict_links_the_run_that_blocks(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(409, "CONFLICT"))
    runs_api.has(status="running", runs=[ACTIVE_RUN])
    assert '<a href="/runs/run-7/">View Run #7</a>' in toasts_of(form.send().next_page)


def test_conflict_with_a_run_that_waits_links_it(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(409, "CONFLICT", "One at a time"))
    runs_api.has(status="queued", runs=[{"id": "run-4", "runNumber": 4, "status": "queued"}])
    answered = form.send(**TYPED)
    assert '<a href="/runs/run-4/">View Run #4</a>' in answered.html
    assert "this adds" not in answered.html
    assert is_kept(answered)


def test_conflict_with_a_work_order_of_unknown_status(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(409, "CONFLICT"))
    runs_api.has(status="waiting_for_children")
    answered = form.send()
    assert (answered.status, answered.location) == (409, "")
    assert "does not know the status of this work order" in error_of(answered)


def test_conflict_that_nothing_explains(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(409, "CONFLICT", "Not on Sundays"))
    answered = form.send(**TYPED)
    assert answered.status == 409
    assert "The runs API refused to start a run now" in error_of(answered)
    assert "Not on Sundays" in error_of(answered)
    assert is_kept(answered)


def test_conflict_while_the_work_order_cannot_be_read(runs_api: RunsAPI, form: TriggerForm) -> None:
    def refuse_and_fail(handler: Handler, asked: Asked) -> None:
        runs_api.on("GET", "/work-orders/wo-1", refusal(500, "INTERNAL_ERROR"))
        refusal(409, "CONFLICT")(handler, asked)

    runs_api.triggers(refuse_and_fail)
    answered = form.send(max_iterations="7")
    assert answered.status == 409
    assert "The runs API refused to start a run now" in error_of(answered)
    assert 'value="7"' in answered.html


def test_rate_limited_says_how_long(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(429, "RATE_LIMITED", Retry_After="12"))
    answered = form.send(**TYPED)
    assert answered.status == 422
    assert "Too many requests. Try again in 12 seconds." in error_of(answered)
    assert is_kept(answered)


@pytest.mark.parametrize(
    "retry_after", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "soon", "1000000", "9" * 5000]
)
def test_rate_limited_without_a_number_of_seconds(
    runs_api: RunsAPI, form: TriggerForm, retry_after: str
) -> None:
    runs_api.triggers(refusal(429, "RATE_LIMITED", Retry_After=retry_after))
    assert "Too many requests. Try again in a moment." in error_of(form.send())


def test_rate_limited_by_a_proxy_that_knows_no_envelope(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.triggers(answer(429, b"slow down", "text/plain", Retry_After="1"))
    assert "Too many requests. Try again in 1 second." in error_of(form.send())


@pytest.mark.parametrize("status", [500, 503])
def test_server_error(runs_api: RunsAPI, form: TriggerForm, status: int) -> None:
    runs_api.triggers(refusal(status, "DATABASE_DOWN", "No database today"))
    answered = form.send()
    assert answered.location == "/work-orders/wo-1/"
    toast = text_of(toasts_of(answered.next_page))
    assert "The runs API failed. Look at the runs below before you start another." in toast
    assert (
        f"No database today · DATABASE_DOWN · request {REQUEST_ID}" in toast.partition("Details")[2]
    )


def test_server_error_before_anything_was_sent(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.on("GET", "/work-orders/wo-1", refusal(500, "DATABASE_DOWN", "No database today"))
    answered = form.send()
    runs_api.has()
    toast = text_of(toasts_of(answered.next_page))
    assert toast.strip().startswith("The runs API failed. No run was started.Details")
    assert "No database today" in toast


def test_server_error_with_a_code_of_the_table(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(500, "RUN_ALREADY_ACTIVE", "Could not tell"))
    assert "DetailsCould not tell" in text_of(toasts_of(form.send().next_page))


def test_hostile_words_of_the_api_are_escaped(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(500, "<b>", "<script>alert(1)</script>"))
    page = form.send().next_page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_an_api_that_echoes_the_key_does_not_reveal_it(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.triggers(refusal(401, "UNAUTHORIZED", f"Invalid API key: {api.API_KEY}"))
    answered = form.send()
    assert "Invalid API key" in error_of(answered)
    assert api.API_KEY not in answered.html


def test_an_api_that_echoes_the_key_beside_a_field_does_not_reveal_it(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    error = {"path": ["profileName"], "message": f"sent with {api.API_KEY}"}
    runs_api.triggers(refusal(400, "BAD_REQUEST", details={"errors": [error]}))
    answered = form.send()
    assert "sent with [key]" in answered.html
    assert api.API_KEY not in answered.html


def test_an_api_that_did_not_answer_is_not_asked_again(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    """N7.1: the operator has waited for one time-out already."""
    runs_api.on("GET", "/work-orders/wo-1", api.reset)
    answered = form.send(max_iterations="7", profile_name="careful")
    assert 'value="7"' in answered.html
    assert '<option value="careful" selected>' in answered.html
    assert [asked.method for asked in runs_api.asked] == ["GET"]


def test_a_refused_dialog_is_read_again_in_what_is_left_of_the_time(
    runs_api: RunsAPI, form: TriggerForm, settings: Settings
) -> None:
    """N7.1, whatever a read may take elsewhere."""
    settings.RUNS_API_TRIGGER_TIMEOUT = 1

    def refuse_and_fall_silent(handler: Handler, asked: Asked) -> None:
        runs_api.on("GET", "/work-orders/wo-1", api.silence)
        refusal(403, "FORBIDDEN")(handler, asked)

    runs_api.triggers(refuse_and_fall_silent)
    answered = form.send(**TYPED)
    assert "may not start runs" in error_of(answered)
    assert is_kept(answered)
    assert not runs_api.waited_out.is_set()


# --- What the dashboard itself refuses


@pytest.mark.parametrize("typed", ["0", "101", "-3", "many", "1.5", "1_0", "+5", "9" * 5000])
def test_max_iterations_out_of_range(runs_api: RunsAPI, form: TriggerForm, typed: str) -> None:
    answered = form.send(max_iterations=typed, profile_name="careful")
    assert answered.status == 422
    assert "Check the options: no run was started." in error_of(answered)
    assert "Enter a whole number from 1 to 100." in answered.html
    assert f'value="{typed}"' in answered.html
    assert '<option value="careful" selected>' in answered.html
    assert options_open(answered)
    assert runs_api.triggered == []


def test_refused_dialog_takes_the_focus_to_its_error(form: TriggerForm) -> None:
    html = form.send(max_iterations="0").html
    assert re.findall(r"<(\w+)[^>]*\bautofocus\b", html) == ["div"]
