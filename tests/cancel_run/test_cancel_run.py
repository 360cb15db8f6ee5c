"""Cancelling a run: what is said before, what is asked of the API, and what is true afterwards."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.attempts import attempted
from tests.support.page_text import show, text_of
from tests.support.runs_api import Asked, Handler, Reply, RunsAPI, refusal
from tests.support.trigger_form import HTMX, KINDS, Answered

URL = "/runs/run-3/cancel/"
ASKED_TO_STOP = api.data({"id": "run-3", "status": "running"}, 202)
RUN = {"id": "run-3", "runNumber": 3, "workOrderId": "wo-1", "status": "running"}


@pytest.fixture(autouse=True)
def _running(runs_api: RunsAPI) -> None:
    has_status(runs_api, "running")


@pytest.fixture
def whole_work_order(settings: Settings) -> None:
    """An API of the recorded kind: its one way is to end the whole work order."""
    settings.RUNS_API_CANCELS = "WORK-ORDER"


@pytest.fixture(params=KINDS)
def headers(request: pytest.FixtureRequest) -> Mapping[str, str]:
    return KINDS[request.param]


def has_status(runs_api: RunsAPI, status: str, work_order_status: str = "running") -> None:
    runs_api.has_run(**RUN | {"status": status})
    runs_api.has(status=work_order_status, runs=[RUN | {"status": status}])


def cancels(runs_api: RunsAPI, reply: Reply, *, then: str = "running") -> None:
    """What the API answers, and what the run's status is from then on."""

    def cancel(handler: Handler, asked: Asked) -> None:
        has_status(runs_api, then)
        reply(handler, asked)

    runs_api.on("POST", "/runs/run-3/cancel", cancel)


def ends_work_order(runs_api: RunsAPI, reply: Reply, *, run: str, work_order: str) -> None:
    def end(handler: Handler, asked: Asked) -> None:
        has_status(runs_api, run, work_order)
        reply(handler, asked)

    runs_api.on("DELETE", "/work-orders/wo-1", end)


def confirm(
    client: Client, headers: Mapping[str, str], scope: str = "run", queued: str = ""
) -> Answered:
    """``queued``: what the confirmation carries for a run that waits."""
    sent = {"scope": scope, "queued": queued}
    return Answered(client.post(URL, sent, headers=headers), client)


def changes_asked(runs_api: RunsAPI) -> list[tuple[str, str]]:
    return [(asked.method, asked.path) for asked in runs_api.asked if asked.method != "GET"]


# --- The button


@pytest.mark.parametrize("status", ["queued", "building", "running", "brand-new"])
def test_run_that_is_not_over_can_be_cancelled(
    runs_api: RunsAPI, operator: Client, status: str
) -> None:
    has_status(runs_api, status)
    assert f'action="{URL}"' in show(operator, "/runs/run-3/")


@pytest.mark.parametrize("status", ["succeeded", "failed", "canceled", "cancelled"])
def test_run_that_is_over_cannot_be_cancelled(
    runs_api: RunsAPI, operator: Client, status: str
) -> None:
    has_status(runs_api, status)
    assert "Cancel run" not in show(operator, "/runs/run-3/")


def test_run_of_an_unknown_work_order_cannot_be_cancelled_with_it(
    runs_api: RunsAPI, operator: Client, whole_work_order: None
) -> None:
    runs_api.has_run(**RUN | {"workOrderId": None})
    assert "Cancel run" not in show(operator, "/runs/run-3/")
    answered = confirm(operator, {}, "work-order")
    assert "cannot be cancelled" in answered.next_page
    assert changes_asked(runs_api) == []


# --- Who may


def test_viewer_sees_no_button(viewer: Client) -> None:
    assert "Cancel run" not in show(viewer, "/runs/run-3/")


@pytest.mark.parametrize("method", ["get", "post"])
def test_viewer_may_not_cancel(runs_api: RunsAPI, viewer: Client, method: str) -> None:
    assert getattr(viewer, method)(URL, {"scope": "run"}).status_code == 403
    assert runs_api.asked == []


def test_cancelling_needs_the_token_of_a_form(runs_api: RunsAPI, operator_user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator_user)
    assert client.post(URL, {"scope": "run"}).status_code == 403
    assert changes_asked(runs_api) == []


# --- What is said before


def test_confirmation_names_the_run(operator: Client, headers: Mapping[str, str]) -> None:
    html = operator.get(URL, headers=headers).content.decode()
    text = text_of(html)
    assert ">Keep run</" in html
    assert "Cancel Run #3" in text
    assert "Only this run is cancelled. Its work order can be run again." in text
    assert "Fix the login" in text


def test_confirmation_for_htmx_is_a_part(operator: Client) -> None:
    assert "<html" not in show(operator, URL, htmx=True)
    assert "<html" in show(operator, URL)


def test_confirmation_says_that_the_whole_work_order_goes(
    operator: Client, whole_work_order: None
) -> None:
    html = show(operator, URL)
    assert ">Keep work order</" in html
    assert '<span class="label">Cancel work order</span>' in html
    text = text_of(html)
    assert "Cancel the work order of Run #3" in text
    assert "Cancel the whole work order? It cannot be run again." in text
    assert "Run #3 may go on until it ends by itself." in text
    assert "every other run" not in text
    page = show(operator, "/runs/run-3/")
    assert "Cancel work order" in page
    assert "Cancel run" not in page


def test_nothing_else_is_done_than_was_confirmed(
    runs_api: RunsAPI, operator: Client, whole_work_order: None
) -> None:
    """The dialog was opened before the settings changed."""
    answered = confirm(operator, {}, "run")
    assert "Cancel the whole work order" in answered.html
    assert changes_asked(runs_api) == []


def test_opening_the_confirmation_changes_nothing(runs_api: RunsAPI, operator: Client) -> None:
    show(operator, URL)
    assert changes_asked(runs_api) == []


def test_confirmation_of_a_run_that_is_over(runs_api: RunsAPI, operator: Client) -> None:
    has_status(runs_api, "failed")
    answered = Answered(operator.get(URL), operator)
    assert answered.location == "/runs/run-3/"
    assert "Run #3 has already ended: failed" in answered.next_page


def test_confirmation_of_a_run_that_is_not_there(operator: Client) -> None:
    assert "Run gone does not exist" in show(operator, "/runs/gone/cancel/", status=404)


def test_confirmation_while_the_api_is_down(
    runs_api: RunsAPI, operator: Client, headers: Mapping[str, str]
) -> None:
    runs_api.go_away()
    response = operator.get(URL, headers=headers)
    assert response.status_code == 422
    text = text_of(response.content.decode())
    assert "Could not connect to server. Please try again." in text
    assert "Retry" in text


# --- What comes of it


def test_active_run_is_asked_to_stop(
    runs_api: RunsAPI, operator: Client, headers: Mapping[str, str]
) -> None:
    cancels(runs_api, ASKED_TO_STOP)
    answered = confirm(operator, headers)
    assert changes_asked(runs_api) == [("POST", "/runs/run-3/cancel")]
    assert answered.location == "/runs/run-3/"
    page = answered.next_page
    assert "Run #3 is being cancelled" in page
    assert 'data-status="running"' in page


def test_queued_run_is_cancelled(
    runs_api: RunsAPI, operator: Client, headers: Mapping[str, str]
) -> None:
    has_status(runs_api, "queued")
    cancels(runs_api, api.data({"id": "run-3", "status": "canceled"}, 202), then="canceled")
    html = show(operator, URL)
    assert 'name="queued" value="1"' in html
    assert "Take Run #3 out of the queue? It will not start." in text_of(html)
    page = confirm(operator, headers, queued="1").next_page
    assert "Run #3 was cancelled" in page
    assert 'data-status="cancelled"' in page


def test_run_that_has_started_meanwhile_is_asked_about_again(
    runs_api: RunsAPI, operator: Client, headers: Mapping[str, str]
) -> None:
    """What was confirmed was to take it out of the queue, before it has done anything."""
    answered = confirm(operator, headers, queued="1")
    assert answered.status == 409
    assert "Run #3 is running now. Nothing was cancelled yet." in text_of(answered.html)
    assert changes_asked(runs_api) == []


def test_run_that_ended_before_the_request_arrived(
    runs_api: RunsAPI, operator: Client, headers: Mapping[str, str]
) -> None:
    cancels(runs_api, refusal(409, "CONFLICT", "Cannot cancel run"), then="failed")
    assert "Run #3 has already ended: failed" in confirm(operator, headers).next_page


def test_run_that_ended_while_it_was_asked_to_stop(runs_api: RunsAPI, operator: Client) -> None:
    cancels(runs_api, ASKED_TO_STOP, then="succeeded")
    assert "Run #3 has already ended: succeeded" in confirm(operator, {}).next_page


def test_cancelling_twice_is_cancelling_once(runs_api: RunsAPI, operator: Client) -> None:
    cancels(runs_api, refusal(409, "CONFLICT", "Cannot cancel run"), then="canceled")
    assert "Run #3 was cancelled" in confirm(operator, {}).next_page


@pytest.mark.parametrize(
    "lost", [api.reset, refusal(502, "BAD_GATEWAY"), api.answer(200, b"<html>"), api.data({})]
)
def test_lost_answer_of_a_run_that_was_cancelled(
    runs_api: RunsAPI, operator: Client, lost: Reply
) -> None:
    cancels(runs_api, lost, then="canceled")
    assert "Run #3 was cancelled" in confirm(operator, {}).next_page


NO_WAY = "This runs API has no way to cancel it."
FAILURES: dict[str, tuple[Reply, int, str, str]] = {
    "lost": (api.reset, 422, "Could not connect to server. Please try again.", "Retry"),
    "failed": (refusal(500, "INTERNAL_ERROR"), 422, "The runs API failed", "Retry"),
    "garbage": (api.answer(200, b"<html>"), 422, "An unexpected error occurred", "Retry"),
    "busy": (
        refusal(429, "RATE_LIMITED", Retry_After="9"),
        422,
        "Too many requests. Try again in 9 seconds.",
        "Retry",
    ),
    "refused": (
        refusal(409, "CONFLICT"),
        409,
        "The runs API refused to cancel this run",
        "Cancel run",
    ),
    "no right": (
        refusal(403, "FORBIDDEN"),
        422,
        "This dashboard's key may not cancel runs.",
        "Cancel run",
    ),
    "no such route": (refusal(404, "NOT_FOUND", "Route not found"), 422, NO_WAY, "Cancel run"),
    "no such method": (api.answer(405, b"no"), 422, NO_WAY, "Retry"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failure_keeps_the_dialog_and_says_that_the_run_goes_on(
    runs_api: RunsAPI, operator: Client, headers: Mapping[str, str], name: str
) -> None:
    reply, status, words, button = FAILURES[name]
    cancels(runs_api, reply)
    answered = confirm(operator, headers)
    assert (answered.status, answered.location) == (status, "")
    text = text_of(answered.html)
    assert words in text
    assert "Run #3 goes on: running." in text
    assert f'<span class="label">{button}</span>' in answered.html
    assert "<summary>" in answered.html  # what the people who run the API can be told


def test_lost_answer_and_an_api_that_stays_away(runs_api: RunsAPI, operator: Client) -> None:
    def lose(handler: Handler, asked: Asked) -> None:
        runs_api.on("GET", "/runs/run-3", api.reset)
        api.reset(handler, asked)

    runs_api.on("POST", "/runs/run-3/cancel", lose)
    text = text_of(confirm(operator, {}).html)
    assert "Whether Run #3 was cancelled is not known. Trying again does no harm." in text
    assert "goes on" not in text


def test_retry_after_a_lost_answer(runs_api: RunsAPI, operator: Client) -> None:
    cancels(runs_api, api.reset)
    confirm(operator, {})
    cancels(runs_api, ASKED_TO_STOP, then="canceled")
    assert "Run #3 was cancelled" in confirm(operator, {}).next_page


# --- The whole work order


def test_work_order_is_ended(
    runs_api: RunsAPI, operator: Client, headers: Mapping[str, str], whole_work_order: None
) -> None:
    ended = api.data({"id": "wo-1", "status": "canceled", "wasRunning": True})
    ends_work_order(runs_api, ended, run="canceled", work_order="canceled")
    page = confirm(operator, headers, "work-order").next_page
    assert changes_asked(runs_api) == [("DELETE", "/work-orders/wo-1")]
    assert "Work order wo-1 was cancelled" in page


@pytest.mark.parametrize(
    "reply",
    [
        api.data({"id": "wo-1", "status": "canceled", "wasRunning": True}),
        api.data({"id": "wo-9", "status": "canceled"}),
        refusal(409, "CONFLICT", "Cannot cancel work order in status 'canceled'"),
        api.reset,
    ],
    ids=["accepted", "about another", "twice", "lost"],
)
@pytest.mark.parametrize("status", ["building", "running", "queued"])
def test_run_that_goes_on_when_its_work_order_is_ended(
    runs_api: RunsAPI, operator: Client, whole_work_order: None, reply: Reply, status: str
) -> None:
    ends_work_order(runs_api, reply, run=status, work_order="canceled")
    page = text_of(confirm(operator, {}, "work-order").next_page)
    assert f"Work order wo-1 was cancelled. Run #3 is still {status}." in page
    assert f"The work order was cancelled. Run #3 is still {status}." in page
    assert "being cancelled" not in page
    assert "Cancel work order" not in page, "it is cancelled already"


@pytest.mark.parametrize(
    ("becomes", "words"),
    [
        (("canceled", "succeeded"), "Work order wo-1 was cancelled. Run #3 has ended: succeeded."),
        (("running", "running"), "Work order wo-1 is being cancelled. Run #3 is still running."),
        (("succeeded", "succeeded"), "Run #3 has already ended: succeeded"),
    ],
)
def test_ended_work_order_is_told_as_it_is(
    runs_api: RunsAPI,
    operator: Client,
    whole_work_order: None,
    becomes: tuple[str, str],
    words: str,
) -> None:
    work_order, run = becomes
    accepted = api.data({"id": "wo-1", "status": "canceled"})
    ends_work_order(runs_api, accepted, run=run, work_order=work_order)
    assert words in text_of(confirm(operator, {}, "work-order").next_page)


def test_accepted_cancellation_is_not_done_before_the_work_order_says_so(
    runs_api: RunsAPI, operator: Client, whole_work_order: None
) -> None:
    def end(handler: Handler, asked: Asked) -> None:
        for path in ("/work-orders/wo-1", "/runs/run-3"):
            runs_api.on("GET", path, refusal(500, "INTERNAL_ERROR"))
        api.data({"id": "wo-1", "status": "canceled"})(handler, asked)

    runs_api.on("DELETE", "/work-orders/wo-1", end)
    confirm(operator, HTMX, "work-order")
    page = text_of(operator.get("/account/").content.decode())
    words = "Work order wo-1 is being cancelled. Whether Run #3 goes on could not be read."
    assert words in page


def test_work_order_that_was_ended_already_is_not_ended_again(
    runs_api: RunsAPI, operator: Client, whole_work_order: None
) -> None:
    has_status(runs_api, "running", "canceled")
    page = confirm(operator, {}, "work-order").next_page
    assert "Work order wo-1 is already cancelled. Run #3 is running." in page
    assert changes_asked(runs_api) == []


def test_answer_about_another_run_is_no_cancellation(runs_api: RunsAPI, operator: Client) -> None:
    cancels(runs_api, api.data({"id": "run-9", "status": "canceled"}, 202))
    text = text_of(confirm(operator, {}).html)
    assert "Run #3 goes on: running." in text


def test_work_order_that_its_run_has_finished_before(
    runs_api: RunsAPI, operator: Client, whole_work_order: None
) -> None:
    refused = refusal(409, "CONFLICT", "Cannot cancel work order in status 'succeeded'")
    ends_work_order(runs_api, refused, run="succeeded", work_order="succeeded")
    page = confirm(operator, {}, "work-order").next_page
    assert "Run #3 has already ended: succeeded" in page


def test_work_order_of_a_run_that_the_api_fails_to_show(
    runs_api: RunsAPI, operator: Client, operator_user: User, whole_work_order: None
) -> None:
    """The work order is known from the attempt; the lists name none."""
    attempted(operator_user, run_id="run-3")
    runs_api.on("GET", "/runs/run-3", refusal(500, "INTERNAL_ERROR"))
    listed: dict[str, Any] = {"id": "run-3", "status": "running"}
    runs_api.has(status="queued", runs=[listed])
    runs_api.on("DELETE", "/work-orders/wo-1", api.data({"id": "wo-1", "status": "canceled"}))
    confirm(operator, HTMX, "work-order")
    assert changes_asked(runs_api) == [("DELETE", "/work-orders/wo-1")]
