"""A run accepted under a provisional ID, which never exists: the real run is found, awaited or
reported missing.
"""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support import runs_api as api
from tests.support.attempts import attempted
from tests.support.page_text import show, text_of, version_of
from tests.support.runs_api import RunsAPI
from tests.support.trigger_form import HTMX, Answered, TriggerForm
from workorders.accounts.users import ensure_account
from workorders.attempts.models import TriggerAttempt

PROVISIONAL = "run-wo-1-1795430617725"
"""A provisional ID as a real server gave it (recorded)."""
PAGE = f"/runs/{PROVISIONAL}/"
ACCEPTED = api.data({"runId": PROVISIONAL, "status": "building"}, 202)
OLD = {"id": "run-old", "status": "failed", "startedAt": "2026-01-02T10:00:00Z"}
REAL = {"id": "run-real", "status": "building"}
WAITING = "Run accepted, waiting for it to appear."
MISSING = "Run accepted, but it never appeared."


@pytest.fixture(autouse=True)
def _work_order(runs_api: RunsAPI) -> None:
    runs_api.has(runs=[OLD])
    runs_api.has_run(**REAL)
    runs_api.triggers(ACCEPTED)


@pytest.fixture
def attempt(operator_user: User) -> TriggerAttempt:
    return accepted(operator_user)


def accepted(user: User, **fields: Any) -> TriggerAttempt:
    defaults: dict[str, Any] = {"run_id": PROVISIONAL, "known_run_ids": ["run-old"]}
    return attempted(user, **defaults | fields)


def list_real_run(runs_api: RunsAPI, *others: dict[str, str]) -> None:
    runs_api.has(status="queued", runs=[REAL, *others, OLD])


def open_page(client: Client, *, htmx: bool = False) -> Answered:
    return Answered(client.get(PAGE, headers=HTMX if htmx else {}), client)


# --- The real run is listed


def test_trigger_redirects_to_the_real_run_with_a_toast(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    answered = form.send()
    assert answered.location == PAGE
    list_real_run(runs_api)
    response = form.client.get(PAGE, follow=True)
    assert response.redirect_chain == [("/runs/run-real/", 302)]
    text = text_of(response.content.decode())
    assert text.count("Run run-real started") == 1
    assert PROVISIONAL not in text


@pytest.mark.parametrize("htmx", [True, False])
def test_waiting_page_redirects_to_the_real_run_with_a_toast(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt, *, htmx: bool
) -> None:
    assert WAITING in open_page(operator).html
    list_real_run(runs_api)
    answered = open_page(operator, htmx=htmx)
    assert answered.location == "/runs/run-real/"
    assert "Run run-real started" in answered.next_page


def test_real_run_is_numbered_when_its_number_is_certain(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    real = REAL | {"startedAt": attempt.sent_at.isoformat() if attempt.sent_at else None}
    runs_api.has(status="queued", runs=[real, OLD], runCount=2)
    assert "Run #2 started" in open_page(operator).next_page
    attempt.refresh_from_db()
    assert (attempt.run_id, attempt.run_number) == ("run-real", 2)


def test_real_run_shows_who_triggered_it(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    list_real_run(runs_api)
    assert "Triggered by operator" in text_of(open_page(operator).next_page)


def test_provisional_address_keeps_redirecting_to_the_real_run(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    list_real_run(runs_api)
    open_page(operator)
    runs_api.has(runs=[])
    assert open_page(operator).location == "/runs/run-real/"


def test_form_sent_again_redirects_to_the_real_run(runs_api: RunsAPI, form: TriggerForm) -> None:
    form.send()
    list_real_run(runs_api)
    form.client.get(PAGE)
    assert form.send().location == "/runs/run-real/"
    assert len(runs_api.triggered) == 1


def test_toast_is_shown_only_to_the_person_who_triggered(
    runs_api: RunsAPI, operator: Client
) -> None:
    accepted(ensure_account("alice", can_trigger=True))
    list_real_run(runs_api)
    answered = open_page(operator)
    assert answered.location == "/runs/run-real/"
    assert "started</span>" not in answered.next_page


def test_other_messages_are_kept(
    runs_api: RunsAPI, operator: Client, form: TriggerForm, attempt: TriggerAttempt
) -> None:
    """The other messages wait for the next page, which is the page of the real run."""
    runs_api.triggers(api.refusal(403, "WORK_ORDER_COMPLETE"))
    form.send()
    list_real_run(runs_api)
    page = open_page(operator).next_page
    assert "This work order has already succeeded" in page
    assert "Run run-real started" in page


# --- The real run does not appear, or not yet


def test_page_waits_for_a_run_that_is_not_listed_yet(
    operator: Client, attempt: TriggerAttempt
) -> None:
    html = show(operator, PAGE)
    assert WAITING in html
    assert 'data-live="1"' in html
    assert '<a class="button" href="">Look again</a>' in html


def test_unchanged_waiting_page_returns_204(operator: Client, attempt: TriggerAttempt) -> None:
    version = version_of(show(operator, PAGE))
    assert show(operator, f"{PAGE}?version={version}", status=204, htmx=True) == ""


def test_page_reports_a_run_that_never_appears(operator: Client, operator_user: User) -> None:
    accepted(operator_user, ago=3600)
    html = show(operator, PAGE)
    assert MISSING in html
    assert 'data-live="15"' in html  # the page still refreshes, in case the run appears
    assert '<a class="button primary" href="/work-orders/wo-1/">Show the work order</a>' in html


def test_waiting_page_stops_waiting(operator: Client, attempt: TriggerAttempt) -> None:
    version = version_of(show(operator, PAGE))
    attempt.delete()
    accepted(attempt.user, ago=3600)
    assert MISSING in show(operator, f"{PAGE}?version={version}", htmx=True)


def test_run_that_appeared_unobserved_is_found(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    attempt = accepted(operator_user, ago=3600)
    assert attempt.sent_at
    runs_api.has(runs=[REAL | {"startedAt": attempt.sent_at.isoformat()}, OLD])
    assert open_page(operator).location == "/runs/run-real/"


def test_run_listed_before_the_trigger_is_not_taken(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    accepted(operator_user, known_run_ids=["run-old", "run-real"])
    list_real_run(runs_api)
    assert WAITING in show(operator, PAGE)


def test_run_of_another_attempt_is_not_taken(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    attempted(attempt.user, run_id="run-real")
    list_real_run(runs_api)
    assert WAITING in show(operator, PAGE)


def test_run_of_another_day_is_not_taken(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    runs_api.has(runs=[REAL | {"startedAt": "2026-01-02T11:00:00Z"}, OLD])
    assert WAITING in show(operator, PAGE)


def test_several_new_runs_are_not_guessed_from(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    list_real_run(runs_api, {"id": "run-other", "status": "queued"})
    assert "it cannot be told which one it is" in show(operator, PAGE)


def test_page_reports_that_the_work_order_cannot_be_read(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    runs_api.on("GET", "/work-orders/wo-1", api.reset)
    assert "Cannot reach the runs API." in show(operator, PAGE, status=503)


def test_run_that_existed_is_not_waited_for(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    """The response had the run's number, so the ID was not provisional."""
    accepted(operator_user, run_number=7)
    list_real_run(runs_api)
    assert "does not exist any more" in show(operator, PAGE, status=404)


def test_deleted_real_run_is_not_searched_for_again(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    accepted(operator_user, run_id="run-gone", provisional_run_id=PROVISIONAL)
    list_real_run(runs_api)
    assert "does not exist any more" in show(operator, "/runs/run-gone/", status=404)
