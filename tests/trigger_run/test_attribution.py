"""A run that another attempt has started is never taken for one's own.

While one attempt looks for its run, another one's request is on its way: the API has
made that one's run, and its answer has not arrived.
"""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connections
from django.test import Client
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.attempts import State, attempted
from tests.support.runs_api import Asked, Handler, Reply, RunsAPI
from tests.support.trigger_form import TriggerForm
from workorders.attempts import transitions
from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.schemas import RunReference, TriggeredRun
from workorders.trigger_run import start_proof

OLD = {"id": "run-1", "runNumber": 1, "status": "failed"}
NEW = {"id": "run-2", "runNumber": 2, "status": "queued"}
ANSWER = api.data({"runId": "run-2", "runNumber": 2, "status": "queued"}, 201)
NOT_KNOWN = "We could not find out"
WAITING = "Run accepted, waiting for it to appear."

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _work_order(runs_api: RunsAPI, settings: Settings) -> None:
    settings.RUNS_API_SETTLE_SECONDS = 0
    runs_api.has(runs=[OLD])
    runs_api.has_run(**NEW)


def while_sent(runs_api: RunsAPI, look: Callable[[], str], seen: list[str], then: Reply) -> Reply:
    """The run is made, somebody looks, and only then comes the answer."""

    def reply(handler: Handler, asked: Asked) -> None:
        runs_api.has(status="queued", runs=[NEW, OLD])
        try:
            seen.append(look())
        finally:
            connections.close_all()  # this thread's own
        then(handler, asked)

    return reply


def colleague_of(client: Client) -> Client:
    """The same session: whose dialog it is does not matter here."""
    other = Client()
    other.cookies.update(client.cookies)
    return other


@pytest.mark.parametrize("then", [ANSWER, api.reset], ids=["answered", "lost"])
def test_looking_again_does_not_take_the_run_of_a_request_on_its_way(
    runs_api: RunsAPI, operator: Client, then: Reply
) -> None:
    first, second = TriggerForm(operator, {}), TriggerForm(colleague_of(operator), {})
    runs_api.triggers(api.reset)
    assert NOT_KNOWN in first.send().html
    seen: list[str] = []

    def recheck() -> str:
        page = colleague_of(operator).get(f"{first.url}{first.key}/")
        return page.content.decode() or page["Location"]

    runs_api.triggers(while_sent(runs_api, recheck, seen, then))
    second.send()
    assert NOT_KNOWN in seen[0]
    assert TriggerAttempt.objects.get(key=first.key).run is None


def test_listed_run_of_another_work_order_is_not_taken(runs_api: RunsAPI, operator: Client) -> None:
    """Some servers do not know the filter for a work order, and list the runs of all."""
    form = TriggerForm(operator, {})

    def lose(handler: Handler, asked: Asked) -> None:
        runs_api.has(runs=[NEW | {"workOrderId": "wo-2"}, OLD])
        api.reset(handler, asked)

    runs_api.triggers(lose)
    assert NOT_KNOWN in form.send().html
    assert TriggerAttempt.objects.get(key=form.key).run is None


def test_run_of_another_attempt_that_is_listed_late_is_passed_over(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    attempted(operator_user, run_id="run-2", known_run_ids=["run-1"])
    form = TriggerForm(operator, {})

    def lose(handler: Handler, asked: Asked) -> None:
        own = {"id": "run-3", "runNumber": 3, "status": "queued"}
        runs_api.has(runs=[own, NEW, OLD])
        api.reset(handler, asked)

    runs_api.triggers(lose)
    form.send()
    assert TriggerAttempt.objects.get(key=form.key).run_id == "run-3"


def test_waiting_page_does_not_take_the_run_of_a_request_on_its_way(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    """Accepted under a provisional ID."""
    attempted(operator_user, run_id="run-provisional", known_run_ids=["run-1"])
    seen: list[str] = []

    def open_page() -> str:
        page = colleague_of(operator).get("/runs/run-provisional/")
        return page.content.decode() or page["Location"]

    runs_api.triggers(while_sent(runs_api, open_page, seen, ANSWER))
    assert TriggerForm(operator, {}).send().location == "/runs/run-2/"
    assert WAITING in seen[0]


def test_queued_start_does_not_take_the_run_of_a_request_on_its_way(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    """The server was full and did not say which run it queued."""

    def send_another(handler: Handler, asked: Asked) -> None:
        runs_api.has(status="queued", runs=[NEW, OLD])
        attempted(operator_user, state=State.SENT, run_id="", known_run_ids=["run-1"])
        connections.close_all()
        api.data({"id": "wo-1", "status": "queued", "runs": [NEW, OLD]})(handler, asked)

    def full(handler: Handler, asked: Asked) -> None:
        runs_api.on("GET", "/work-orders/wo-1", send_another)
        api.refusal(202, "CAPACITY_EXCEEDED")(handler, asked)

    runs_api.triggers(full)
    form = TriggerForm(operator, {})
    form.send()
    assert TriggerAttempt.objects.get(key=form.key).run is None


# --- The last line of defence: the row itself


def found(user: User) -> TriggerAttempt:
    attempt = attempted(user, state=State.UNRESOLVED, run_id="")
    assert transitions.link_run(attempt, RunReference("run-2", 2))
    return attempt


def test_run_is_found_for_one_attempt_only(operator_user: User) -> None:
    found(operator_user)
    late = attempted(operator_user, state=State.UNRESOLVED, run_id="")
    assert not transitions.link_run(late, RunReference("run-2", 2))
    assert (late.state, late.run_id) == (State.UNRESOLVED, "")


def test_run_that_the_api_has_named_to_another_attempt_is_not_found(operator_user: User) -> None:
    attempted(operator_user, run_id="run-2")
    late = attempted(operator_user, state=State.UNRESOLVED, run_id="")
    assert not transitions.link_run(late, RunReference("run-2", 2))


def test_answer_of_the_api_is_worth_more_than_what_was_found(operator_user: User) -> None:
    taken = found(operator_user)
    own = attempted(operator_user, state=State.SENT, run_id="", key=uuid.uuid4())
    assert transitions.start(own, "started", RunReference("run-2", 2))
    taken.refresh_from_db()
    assert (taken.state, taken.run_id, taken.run_number) == (State.UNRESOLVED, "", None)


def test_provisional_run_that_was_found_goes_back_to_waiting(operator_user: User) -> None:
    taken = attempted(operator_user, run_id="run-provisional")
    assert transitions.link_run(taken, RunReference("run-2", 2))
    own = attempted(operator_user, state=State.SENT, run_id="")
    assert transitions.start(own, "started", RunReference("run-2", 2))
    taken.refresh_from_db()
    assert (taken.state, taken.run_id) == (State.STARTED, "run-provisional")
    assert taken.run_confirmed_at is None


def test_taking_a_run_from_others_gives_back_what_their_responses_had_said(
    operator_user: User,
) -> None:
    """Only where a search had linked the run, and only within the work order."""

    def of(work_order_id: str, **fields: Any) -> TriggerAttempt:
        return attempted(operator_user, work_order_id=work_order_id, **fields)

    own = of("wo-own", state=State.SENT, run_id="")
    lost = of("wo-1", state=State.UNRESOLVED, run_id="")
    unnamed = of("wo-2", outcome="queued", run_id="")
    named = of("wo-3", run_id="run-provisional")
    untouched = of("wo-4", run_id="run-2")
    for attempt in (lost, unnamed, named):
        assert transitions.link_run(attempt, RunReference("run-2", 2))
        own.work_order_id = attempt.work_order_id
        assert transitions.take_from_others(own, "run-2") == 1
        attempt.refresh_from_db()
        assert (attempt.run_number, attempt.run_confirmed_at) == (None, None)
        assert attempt.provisional_run_id == ""
    assert (lost.state, lost.run_id, lost.run_source) == (State.UNRESOLVED, "", "")
    assert (unnamed.state, unnamed.run_id, unnamed.run_source) == (State.STARTED, "", "")
    assert (named.state, named.run_id) == (State.STARTED, "run-provisional")
    assert named.run_source == "response"
    own.work_order_id = untouched.work_order_id
    assert transitions.take_from_others(own, "run-2") == 0  # a response has named the run
    assert transitions.take_from_others(untouched, "run-2") == 0  # never its own


def test_run_that_the_api_names_to_two_attempts_is_the_first_one_s(operator_user: User) -> None:
    """An answer with a run that was started with another key proves no start."""
    first, second = (
        attempted(operator_user, state=State.UNCONFIRMED, run_id="", work_order_id=order)
        for order in ("wo-1", "wo-2")
    )
    named = TriggeredRun("run-2", 2)
    assert start_proof.link_named_run(first, named)
    assert not start_proof.link_named_run(second, named)
    assert (second.state, second.run_id) == (State.UNCONFIRMED, "")


def test_no_two_rows_are_answered_with_one_run(operator_user: User) -> None:
    """Two processes at the same moment: neither has seen the other's row."""
    attempted(operator_user, run_id="run-2")
    late = attempted(operator_user, state=State.SENT, run_id="")
    with pytest.raises(IntegrityError):
        transitions.start(late, "started", RunReference("run-2", 2))
