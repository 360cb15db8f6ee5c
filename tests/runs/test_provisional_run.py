"""A run accepted under an ID that never exists: found, waited for, or said to be missing."""

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
"""As a real server named one (recorded)."""
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
    named: dict[str, Any] = {"run_id": PROVISIONAL, "known_run_ids": ["run-old"]}
    return attempted(user, **named | fields)


def appears(runs_api: RunsAPI, *others: dict[str, str]) -> None:
    runs_api.has(status="queued", runs=[REAL, *others, OLD])


def look(client: Client, *, htmx: bool = False) -> Answered:
    return Answered(client.get(PAGE, headers=HTMX if htmx else {}), client)


# --- It appears


def test_trigger_leads_to_the_real_run_with_its_toast(runs_api: RunsAPI, form: TriggerForm) -> None:
    answered = form.send()
    assert answered.location == PAGE
    appears(runs_api)
    response = form.client.get(PAGE, follow=True)
    assert response.redirect_chain == [("/runs/run-real/", 302)]
    text = text_of(response.content.decode())
    assert text.count("Run run-real started") == 1
    assert PROVISIONAL not in text


@pytest.mark.parametrize("htmx", [True, False])
def test_waiting_page_goes_there_and_says_so(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt, *, htmx: bool
) -> None:
    assert WAITING in look(operator).html
    appears(runs_api)
    answered = look(operator, htmx=htmx)
    assert answered.location == "/runs/run-real/"
    assert "Run run-real started" in answered.next_page


def test_run_is_numbered_where_that_is_certain(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    real = REAL | {"startedAt": attempt.sent_at.isoformat() if attempt.sent_at else None}
    runs_api.has(status="queued", runs=[real, OLD], runCount=2)
    assert "Run #2 started" in look(operator).next_page
    attempt.refresh_from_db()
    assert (attempt.run_id, attempt.run_number) == ("run-real", 2)


def test_real_run_has_the_receipt(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    appears(runs_api)
    assert "Triggered by operator" in text_of(look(operator).next_page)


def test_provisional_address_goes_on_to_lead_there(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    appears(runs_api)
    look(operator)
    runs_api.has(runs=[])
    assert look(operator).location == "/runs/run-real/"


def test_form_sent_again_leads_to_the_real_run(runs_api: RunsAPI, form: TriggerForm) -> None:
    form.send()
    appears(runs_api)
    form.client.get(PAGE)
    assert form.send().location == "/runs/run-real/"
    assert len(runs_api.triggered) == 1


def test_toast_is_the_starter_s(runs_api: RunsAPI, operator: Client) -> None:
    accepted(ensure_account("alice", can_trigger=True))
    appears(runs_api)
    answered = look(operator)
    assert answered.location == "/runs/run-real/"
    assert "started</span>" not in answered.next_page


def test_other_messages_are_kept(
    runs_api: RunsAPI, operator: Client, form: TriggerForm, attempt: TriggerAttempt
) -> None:
    """They wait for the next page, which is the real run's."""
    runs_api.triggers(api.refusal(403, "WORK_ORDER_COMPLETE"))
    form.send()
    appears(runs_api)
    page = look(operator).next_page
    assert "This work order has already succeeded" in page
    assert "Run run-real started" in page


# --- It does not, or not yet


def test_run_that_is_not_there_yet(operator: Client, attempt: TriggerAttempt) -> None:
    html = show(operator, PAGE)
    assert WAITING in html
    assert 'data-live="1"' in html
    assert '<a class="button" href="">Look again</a>' in html


def test_waiting_page_asks_for_what_is_new(operator: Client, attempt: TriggerAttempt) -> None:
    seen = version_of(show(operator, PAGE))
    assert show(operator, f"{PAGE}?seen={seen}", status=204, htmx=True) == ""


def test_run_that_never_appears(operator: Client, operator_user: User) -> None:
    accepted(operator_user, ago=3600)
    html = show(operator, PAGE)
    assert MISSING in html
    assert 'data-live="15"' in html  # it corrects itself, should the run turn up after all
    assert '<a class="button primary" href="/work-orders/wo-1/">Show the work order</a>' in html


def test_waiting_page_stops_waiting(operator: Client, attempt: TriggerAttempt) -> None:
    seen = version_of(show(operator, PAGE))
    attempt.delete()
    accepted(attempt.user, ago=3600)
    assert MISSING in show(operator, f"{PAGE}?seen={seen}", htmx=True)


def test_run_that_appeared_while_nobody_looked(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    attempt = accepted(operator_user, ago=3600)
    assert attempt.sent_at
    runs_api.has(runs=[REAL | {"startedAt": attempt.sent_at.isoformat()}, OLD])
    assert look(operator).location == "/runs/run-real/"


def test_run_that_was_there_before_is_not_it(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    accepted(operator_user, known_run_ids=["run-old", "run-real"])
    appears(runs_api)
    assert WAITING in show(operator, PAGE)


def test_run_of_another_attempt_is_not_it(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    attempted(attempt.user, run_id="run-real")
    appears(runs_api)
    assert WAITING in show(operator, PAGE)


def test_run_of_another_day_is_not_it(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    runs_api.has(runs=[REAL | {"startedAt": "2026-01-02T11:00:00Z"}, OLD])
    assert WAITING in show(operator, PAGE)


def test_several_new_runs_are_not_guessed_from(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    appears(runs_api, {"id": "run-other", "status": "queued"})
    assert "it cannot be told which one it is" in show(operator, PAGE)


def test_work_order_that_cannot_be_read(
    runs_api: RunsAPI, operator: Client, attempt: TriggerAttempt
) -> None:
    runs_api.on("GET", "/work-orders/wo-1", api.reset)
    assert "Cannot reach the runs API." in show(operator, PAGE, status=503)


def test_run_that_did_exist_is_not_waited_for(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    """It was named with its number, so the ID was not provisional."""
    accepted(operator_user, run_number=7)
    appears(runs_api)
    assert "does not exist any more" in show(operator, PAGE, status=404)


def test_real_run_that_is_gone_is_not_looked_for_again(
    runs_api: RunsAPI, operator: Client, operator_user: User
) -> None:
    accepted(operator_user, run_id="run-gone", provisional_run_id=PROVISIONAL)
    appears(runs_api)
    assert "does not exist any more" in show(operator, "/runs/run-gone/", status=404)
