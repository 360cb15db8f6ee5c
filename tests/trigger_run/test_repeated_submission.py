"""One form, sent more than once: what it has come to is never lost or taken for another's."""

import datetime as dt

import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from tests.support import runs_api as api
from tests.support.runs_api import Asked, Handler, Reply, RunsAPI
from tests.support.trigger_form import TriggerForm
from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.schemas import RunOverrides


@pytest.fixture(autouse=True)
def _failed_work_order(runs_api: RunsAPI) -> None:
    runs_api.has()


ACTIVE = api.refusal(409, "RUN_ALREADY_ACTIVE", details={"runId": "run-2", "runNumber": 2})


@pytest.mark.django_db(transaction=True)
def test_the_slower_of_two_requests_finds_the_run_of_the_faster(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    """Against an API that does not know ``Idempotency-Key``."""

    def refuse_after_the_other_was_answered(handler: Handler, asked: Asked) -> None:
        TriggerAttempt.objects.update(
            state="started", run_id="run-2", run_number=2, outcome="started"
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
    runs_api.triggers(api.data({"runId": "run-2", "runNumber": 2, "status": "queued"}, 201))
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
    """It stalled in its read for so long that the same form, sent again, took over."""
    runs_api.triggers(api.data({"runId": "run-2", "runNumber": 2, "status": "queued"}, 201))
    runs_api.has_run(id="run-2", runNumber=2, status="queued")
    runs_api.on("GET", "/work-orders/wo-1", stalls(runs_api, operator, form, READS[read]))
    answered = form.send(seen="failed//")
    assert answered.location == "/runs/run-2/"
    assert len(runs_api.triggered) == 1


def stalls(runs_api: RunsAPI, operator: Client, form: TriggerForm, read: Reply) -> Reply:
    """Until the form was sent again, by another tab, and has started its run."""
    other = Client()
    other.cookies.update(operator.cookies)
    second = TriggerForm(other, {}, key=form.key)

    def reply(handler: Handler, asked: Asked) -> None:
        runs_api.has()
        long_ago = timezone.now() - dt.timedelta(hours=1)
        TriggerAttempt.objects.update(sent_at=long_ago)
        try:
            assert "The run was not started." in second.send().html
            assert second.send().location == "/runs/run-2/"
        finally:
            connections.close_all()  # this thread's own
        read(handler, asked)

    return reply


@pytest.mark.django_db(transaction=True)
def test_request_that_was_taken_for_gone_is_not_told_that_its_options_were_used(
    runs_api: RunsAPI, operator: Client, form: TriggerForm
) -> None:
    runs_api.triggers(api.data({"runId": "run-2", "runNumber": 2, "status": "queued"}, 201))
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
    runs_api.triggers(api.data({"runId": "run-2", "runNumber": 2, "status": "queued"}, 201))
    other = Client()
    other.cookies.update(operator.cookies)
    claim = TriggerAttempt.claim

    def claim_second(attempt: TriggerAttempt, overrides: RunOverrides) -> bool:
        monkeypatch.setattr(TriggerAttempt, "claim", claim)
        assert TriggerForm(other, {}, key=form.key).send(max_iterations="5").location
        return claim(attempt, overrides)

    monkeypatch.setattr(TriggerAttempt, "claim", claim_second)
    answered = form.send(max_iterations="9")
    assert answered.status == 422
    assert "already used to start a run" in answered.html
    assert [b'{"maxIterations":5}' in asked.body for asked in runs_api.triggered] == [True]
