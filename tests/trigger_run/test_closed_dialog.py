"""What is said of a start whose dialog was closed before its response came: never a false word."""

import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from tests.support import runs_api as api
from tests.support.attempts import State, attempted
from tests.support.page_text import show, text_of
from tests.support.runs_api import RunsAPI, refusal
from tests.support.trigger_form import HTMX, TriggerForm
from workorders.accounts.users import ensure_account
from workorders.attempts import transitions
from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.schemas import RunReference


@pytest.fixture
def form(runs_api: RunsAPI, operator: Client) -> TriggerForm:
    runs_api.has()
    runs_api.triggers(api.data({"runId": "run-1", "runNumber": 1, "workOrderId": "wo-1"}, 201))
    return TriggerForm(operator, HTMX)


def ask(form: TriggerForm, known: str = "", **typed: str) -> HttpResponse:
    """``known``: what the browser knows of its form: "", "answered" or "lost"."""
    fields = {"key": form.key, "form": known} | typed
    response = form.client.post(f"{form.url}{form.key}/notice/", fields, headers=form.headers)
    assert isinstance(response, HttpResponse)
    return response


def told(response: HttpResponse) -> str:
    return text_of(response.content.decode())


def test_form_under_way_is_waited_for(form: TriggerForm) -> None:
    assert ask(form).status_code == 204
    assert not TriggerAttempt.objects.exists()


def test_start_is_told_once(form: TriggerForm) -> None:
    form.send()
    assert "Run #1 started" in told(ask(form, "answered"))
    page = form.client.get("/work-orders/wo-1/").content.decode()
    assert "Run #1 started" not in text_of(page)


def test_refusal_of_the_time_before_a_retry_is_no_news_while_the_retry_is_under_way(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.triggers(refusal(429, "RATE_LIMITED"))
    form.send()
    assert ask(form).status_code == 204
    assert "The run was not started. Too many requests." in told(ask(form, "answered"))


@pytest.mark.parametrize("was_refused_before", [False, True])
def test_lost_form_starts_nothing_when_it_arrives_late(
    runs_api: RunsAPI, form: TriggerForm, *, was_refused_before: bool
) -> None:
    if was_refused_before:
        runs_api.triggers(refusal(429, "RATE_LIMITED"))
        form.send()
    sent = len(runs_api.triggered)
    assert "The run was not started." in told(ask(form, "lost", max_iterations="7"))
    assert "Start Run" not in form.send().location
    assert len(runs_api.triggered) == sent
    attempt = TriggerAttempt.objects.get()
    assert (attempt.state, attempt.outcome) == (State.PENDING, "WITHDRAWN")
    words = "Not started: The dialog was closed before the start had reached the dashboard"
    assert words in text_of(form.client.get("/work-orders/wo-1/").content.decode())


def test_lost_form_that_has_arrived_is_told_as_it_ended(form: TriggerForm) -> None:
    form.send()
    assert "Run #1 started" in told(ask(form, "lost"))


def test_changed_work_order_is_the_reason(form: TriggerForm) -> None:
    form.send(seen="queued//")
    words = "The run was not started. The work order had changed since the dialog was opened."
    assert words in told(ask(form, "answered"))


def test_run_that_nobody_has_seen_is_called_accepted(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(api.data({"runId": "run-1"}, 202))
    form.send()
    said = told(ask(form, "answered"))
    assert "Run run-1 accepted" in said
    assert "Cancel run" not in said


def test_queued_start_is_told_with_its_place_and_can_be_cancelled(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    details = {"runId": "run-9", "status": "queued", "queuePosition": 2}
    runs_api.triggers(refusal(503, "CAPACITY_EXCEEDED", details=details))
    form.send()
    said = told(ask(form, "answered"))
    words = "Server at capacity. Your run has been queued. Position in the queue: 2."
    assert words in said
    assert "Cancel run" in said


def test_refusal_links_the_run_that_blocks(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(409, "RUN_ALREADY_ACTIVE"))
    form.send()
    runs_api.has(status="running", runs=[{"id": "run-7", "runNumber": 7, "status": "running"}])
    notice = ask(form, "answered").content.decode()
    assert '<a href="/runs/run-7/">View Run #7</a>' in notice


def test_attempt_of_somebody_else_is_not_told(form: TriggerForm) -> None:
    alice = ensure_account("alice", can_trigger=True)
    attempted(alice, key=uuid.UUID(form.key))
    assert "Run #" not in told(ask(form, "lost"))


def test_only_who_has_sent_a_start_follows_it_to_the_next_page(
    form: TriggerForm, operator_user: User
) -> None:
    """Of somebody else's the notice would say that nothing was started by one's own form."""
    own, other = (
        attempted(
            user, state=State.UNCONFIRMED, run_id="", settled_at=None, work_order_id=f"wo-{user.pk}"
        )
        for user in (operator_user, ensure_account("alice", can_trigger=True))
    )
    for attempt, follows in ((own, True), (other, False)):
        url = f"/work-orders/{attempt.work_order_id}/trigger/{attempt.key}/"
        page = show(form.client, url)
        assert f"Checking whether {'your' if follows else 'this'} run started" in page
        assert (f'data-notice="{url}notice/"' in page) is follows


def test_run_of_somebody_else_is_not_called_yours(form: TriggerForm, operator_user: User) -> None:
    alice = ensure_account("alice", can_trigger=True)
    for user, whose in ((operator_user, "your"), (alice, "this")):
        attempt = attempted(user, state=State.UNRESOLVED, run_id="", settled_at=None)
        page = text_of(show(form.client, f"{form.url}{attempt.key}/"))
        assert f"did not say whether it started {whose} run" in page
        assert ("must be yours" in page) is (whose == "your")


def test_notice_can_cancel_its_run_on_every_page(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    for page in ("/work-orders/", "/work-orders/wo-1/", form.url, "/account/", "/runs-api/"):
        assert show(form.client, page).count('id="trigger-dialog-content"') == 1


def test_run_that_was_not_found_is_asked_for_until_it_turns_up(
    runs_api: RunsAPI, form: TriggerForm, operator_user: User
) -> None:
    attempt = attempted(
        operator_user, key=uuid.UUID(form.key), state=State.UNRESOLVED, run_id="", settled_at=None
    )
    notice = ask(form, "answered").content.decode()
    assert "We could not find out whether your run started" in text_of(notice)
    assert f'hx-post="{form.url}{form.key}/notice/"' in notice
    assert "data-asks-on" in notice
    assert '"shown": "not-known"' in notice
    assert ask(form, "answered", shown="not-known").status_code == 204
    assert transitions.start(attempt, "started", RunReference("run-1", 1))
    assert "Run #1 started" in told(ask(form, "answered", shown="not-known"))


def test_only_the_toast_of_the_same_start_is_taken_back(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    """The next page still shows what other starts have left: Run #12, and another's refusal."""
    runs_api.triggers(api.data({"runId": "run-12", "runNumber": 1, "workOrderId": "wo-1"}, 201))
    other = TriggerForm(form.client, HTMX)
    other.send()
    runs_api.has(status="canceled")
    refused = TriggerForm(form.client, HTMX)
    refused.send()
    runs_api.has()
    runs_api.triggers(api.data({"runId": "run-1", "workOrderId": "wo-1"}, 202))
    form.send()
    assert "Run run-1 accepted" in told(ask(form, "answered"))
    page = text_of(form.client.get("/work-orders/").content.decode())
    assert "Run #1 started" in page
    assert "cancelled" in page
    assert "Run run-1 accepted" not in page


def test_withdrawn_start_is_offered_with_a_key_that_works(form: TriggerForm) -> None:
    ask(form, "lost", max_iterations="7")
    for again in (
        form.client.get(f"{form.url}{form.key}/"),
        form.client.get(f"{form.url}?session=ended&key={form.key}&max_iterations=7"),
    ):
        page = again.content.decode()
        [key] = re.findall(r'name="key" value="([^"]+)"', page)
        assert key != form.key
        assert 'value="7"' in page
    assert TriggerForm(form.client, HTMX, key=key).send().location == "/runs/run-1/"


def test_session_that_ended_leads_back_to_the_dialog(form: TriggerForm) -> None:
    stranger = TriggerForm(Client(), HTMX, key=form.key)
    location = ask(stranger, max_iterations="7")["HX-Redirect"]
    assert "/work-orders/wo-1/trigger/%3Fsession%3Dended" in location
    assert "max_iterations%3D7" in location
