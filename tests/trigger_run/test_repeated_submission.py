"""One form, sent more than once: what it has come to is never lost or taken for another's."""

import datetime as dt
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.runs_api import Asked, Handler, Reply, RunsAPI
from tests.support.trigger_form import Answered, TriggerForm
from workorders.attempts import transitions
from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.schemas import RunOverrides


@pytest.fixture(autouse=True)
def _failed_work_order(runs_api: RunsAPI) -> None:
    runs_api.has()


ACTIVE = api.refusal(409, "RUN_ALREADY_ACTIVE", details={"runId": "run-2", "runNumber": 2})
STARTED = api.data({"runId": "run-2", "runNumber": 2, "status": "queued"}, 201)
CHECKING = "Checking whether your run started…"


def same_form(operator: Client, form: TriggerForm) -> TriggerForm:
    """The form in another tab of the same person, without scripts."""
    other = Client()
    other.cookies.update(operator.cookies)
    return TriggerForm(other, {}, key=form.key)


def sent_before(age: dt.timedelta) -> None:
    TriggerAttempt.objects.update(sent_at=timezone.now() - age)


def words(answered: Answered) -> str:
    """The dialog, or the page that the browser is sent to."""
    return answered.next_page if answered.location else answered.html


@pytest.mark.django_db(transaction=True)
def test_the_slower_of_two_requests_finds_the_run_of_the_faster(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    """Against an API that does not know ``Idempotency-Key``."""

    def refuse_after_the_other_was_answered(handler: Handler, asked: Asked) -> None:
        TriggerAttempt.objects.update(
            state="started", run_id="run-2", run_number=2, run_source="response", outcome="started"
        )
        connection.close()  # this thread's own
        ACTIVE(handler, asked)

    runs_api.triggers(refuse_after_the_other_was_answered)
    runs_api.has_run(id="run-2", runNumber=2)
    answered = form.send()
    assert answered.location == "/runs/run-2/"
    assert "Run #2 started" in answered.next_page
    assert form.send().location == "/runs/run-2/"
    assert len(runs_api.triggered) == 1


def test_the_same_form_with_other_options_is_refused(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(STARTED)
    form.send(max_iterations="1")
    answered = form.send(max_iterations="9")
    assert answered.status == 422
    assert "already used to start a run" in answered.html
    assert len(runs_api.triggered) == 1


READS: dict[str, Reply] = {
    "fails": api.reset,
    "is refused": api.refusal(429, "RATE_LIMITED"),
    "shows a change": api.data({"id": "wo-1", "status": "queued", "runs": [], "runCount": 0}),
    "shows its own run": api.data(
        {"id": "wo-1", "status": "running", "runs": [{"id": "run-2", "status": "running"}]}
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("read", READS)
def test_request_that_was_taken_for_gone_is_told_what_the_other_has_started(
    runs_api: RunsAPI, operator: Client, form: TriggerForm, read: str
) -> None:
    """It stalled in its read for so long that the same form, sent again, took over.

    The form was refused before: that the API had heard of it then proves nothing now.
    """
    runs_api.triggers(api.refusal(429, "RATE_LIMITED"))
    form.send()
    runs_api.triggers(STARTED)
    runs_api.has_run(id="run-2", runNumber=2, status="queued")
    runs_api.on("GET", "/work-orders/wo-1", stalls(runs_api, operator, form, READS[read]))
    answered = form.send(seen="failed//")
    assert answered.location == "/runs/run-2/"
    assert len(runs_api.triggered) == 2


def stalls(runs_api: RunsAPI, operator: Client, form: TriggerForm, read: Reply) -> Reply:
    """Until the form was sent again, by another tab, and has started its run."""
    second = same_form(operator, form)

    def reply(handler: Handler, asked: Asked) -> None:
        runs_api.has()
        sent_before(dt.timedelta(hours=1))
        try:
            assert "The run was not started." in second.send().html
            assert second.send().location == "/runs/run-2/"
        finally:
            connections.close_all()  # this thread's own
        read(handler, asked)

    return reply


@pytest.mark.django_db(transaction=True)
def test_request_that_was_taken_for_gone_does_not_send_beside_the_other(
    runs_api: RunsAPI, operator: Client, form: TriggerForm
) -> None:
    """It wakes up while the other request waits for its response."""
    second = same_form(operator, form)
    sending, woken = threading.Event(), threading.Event()
    others: list[Future[Answered]] = []

    def send() -> Answered:
        try:
            return second.send()
        finally:
            connections.close_all()  # this thread's own

    def answer_late(handler: Handler, asked: Asked) -> None:
        sending.set()
        woken.wait(30)
        STARTED(handler, asked)

    def stall(handler: Handler, asked: Asked) -> None:
        runs_api.has()
        sent_before(dt.timedelta(hours=1))
        connections.close_all()
        assert "The run was not started." in send().html
        others.append(pool.submit(send))
        sending.wait(30)
        api.data({"id": "wo-1", "status": "failed", "runs": []})(handler, asked)

    runs_api.has_run(id="run-2", runNumber=2, status="queued")
    runs_api.triggers(answer_late)
    runs_api.on("GET", "/work-orders/wo-1", stall)
    with ThreadPoolExecutor(1) as pool:
        try:
            assert CHECKING in words(form.send())
        finally:
            woken.set()
        assert others[0].result(30).location == "/runs/run-2/"
    assert len(runs_api.triggered) == 1


@pytest.mark.django_db(transaction=True)
def test_request_whose_time_is_not_over_is_not_taken_for_gone(
    runs_api: RunsAPI, operator: Client, form: TriggerForm, settings: Settings
) -> None:
    """Or an API that honours keys late would be asked twice at the same time."""
    settings.RUNS_API_HONOURS_KEYS = True
    second, seen = same_form(operator, form), []

    def answer_late(handler: Handler, asked: Asked) -> None:
        sent_before(dt.timedelta(seconds=settings.RUNS_API_TRIGGER_TIMEOUT - 1))
        seen.append(words(second.send()))
        connections.close_all()  # this thread's own
        STARTED(handler, asked)

    runs_api.triggers(answer_late)
    form.send()
    assert CHECKING in seen[0]
    assert len(runs_api.triggered) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("named", "run"),
    [
        ({"runId": "run-9", "runNumber": 1, "workOrderId": "wo-1"}, "run-9"),
        ({"runId": "run-provisional"}, "run-2"),
    ],
    ids=["numbered", "not numbered"],
)
def test_late_response_replaces_the_run_that_was_found_only_with_a_number(
    *,
    runs_api: RunsAPI,
    operator: Client,
    form: TriggerForm,
    monkeypatch: pytest.MonkeyPatch,
    named: dict[str, Any],
    run: str,
) -> None:
    """An ID without a number may be provisional: no run may ever have it."""
    monkeypatch.setattr("workorders.trigger_run.reconciliation.ABANDONED_AFTER_SECONDS", -30)
    second = same_form(operator, form)

    def answer_late(handler: Handler, asked: Asked) -> None:
        runs_api.has(runs=[{"id": "run-2", "status": "queued"}])
        assert second.send().location == "/runs/run-2/"
        connections.close_all()  # this thread's own
        api.data(named, 201)(handler, asked)

    runs_api.triggers(answer_late)
    assert form.send().location == f"/runs/{run}/"


@pytest.mark.django_db(transaction=True)
def test_failure_is_not_told_of_a_run_that_another_request_has_found(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    """The API fails; then another request finds the run while this one still looks for it."""

    def find_meanwhile(handler: Handler, asked: Asked) -> None:
        started = TriggerAttempt.State.STARTED
        TriggerAttempt.objects.update(
            state=started, run_id="run-2", run_source="reconciled", outcome="started"
        )
        connections.close_all()  # this thread's own
        api.data({"id": "wo-1", "status": "failed", "runs": []})(handler, asked)

    def fail(handler: Handler, asked: Asked) -> None:
        runs_api.on("GET", "/work-orders/wo-1", find_meanwhile)
        api.refusal(500, "DATABASE_DOWN")(handler, asked)

    runs_api.triggers(fail)
    assert "failed" not in words(form.send())
    assert form.send().location == "/runs/run-2/"


@pytest.mark.parametrize(
    ("status", "state"), [(502, "unconfirmed"), (504, "unconfirmed"), (500, "unresolved")]
)
def test_start_that_a_gateway_has_lost_is_searched_and_not_called_failed(
    runs_api: RunsAPI, form: TriggerForm, status: int, state: str
) -> None:
    runs_api.triggers(api.refusal(status, "DATABASE_DOWN"))
    form.send()
    [attempt] = TriggerAttempt.objects.all()
    assert attempt.state == state


@pytest.mark.django_db(transaction=True)
def test_request_that_was_taken_for_gone_is_not_told_that_its_options_were_used(
    runs_api: RunsAPI, operator: Client, form: TriggerForm
) -> None:
    runs_api.triggers(STARTED)
    order = api.data({"id": "wo-1", "status": "failed", "runs": []})

    def with_own_options(handler: Handler, asked: Asked) -> None:
        TriggerAttempt.objects.update(max_iterations=None)  # as the other tab's form has it
        stalls(runs_api, operator, form, order)(handler, asked)

    runs_api.on("GET", "/work-orders/wo-1", with_own_options)
    answered = form.send(max_iterations="9")
    assert "already used to start a run" in answered.html
    assert len(runs_api.triggered) == 1


@pytest.mark.django_db(transaction=True)
def test_other_options_at_the_same_moment_are_not_said_to_be_started(
    runs_api: RunsAPI, operator: Client, form: TriggerForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tabs: the other one's claim comes between this one's look and its claim."""
    runs_api.triggers(STARTED)
    second = same_form(operator, form)
    claim = transitions.claim

    def claim_second(attempt: TriggerAttempt, overrides: RunOverrides) -> bool:
        monkeypatch.setattr(transitions, "claim", claim)
        assert second.send(max_iterations="5").location
        return claim(attempt, overrides)

    monkeypatch.setattr(transitions, "claim", claim_second)
    answered = form.send(max_iterations="9")
    assert answered.status == 422
    assert "already used to start a run" in answered.html
    assert [b'{"maxIterations":5}' in asked.body for asked in runs_api.triggered] == [True]
