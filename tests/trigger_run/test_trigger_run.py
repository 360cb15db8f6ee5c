"""Starting a run, from the confirmation to the new run's page, against a real local runs API."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from tests.support import runs_api as api
from tests.support.runs_api import API_KEY, RunsAPI
from tests.support.trigger_form import HTMX, TriggerForm
from workorders.accounts.users import ensure_account
from workorders.attempts.models import TriggerAttempt

STARTED = {"runId": "run-3", "runNumber": 3, "status": "queued", "workOrderId": "wo-1"}
OLD_RUNS = [
    {"id": "run-2", "runNumber": 2, "status": "failed"},
    {"id": "run-1", "runNumber": 1, "status": "failed"},
]


@pytest.fixture(autouse=True)
def _failed_work_order(runs_api: RunsAPI) -> None:
    runs_api.has(runs=OLD_RUNS)
    runs_api.triggers(api.data(STARTED, status=201))
    runs_api.has_run(id="run-3", runNumber=3, status="queued")
    runs_api.on(
        "GET",
        "/profiles",
        api.items({"name": "default", "maxIterations": 5}, {"name": "careful", "maxIterations": 8}),
    )


# --- Integration tests of the specification: trigger mutation


def test_trigger_mutation(runs_api: RunsAPI, form: TriggerForm) -> None:
    form.send()
    [asked] = runs_api.triggered
    assert asked.path == "/work-orders/wo-1/runs"
    assert asked.headers["authorization"] == f"Bearer {API_KEY}"
    assert asked.headers["idempotency-key"] == form.key


def test_trigger_mutation_without_overrides_has_no_body(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    form.send(max_iterations="", profile_name="")
    [asked] = runs_api.triggered
    assert asked.body == b""
    assert "content-type" not in asked.headers


@pytest.mark.parametrize(
    ("typed", "body"),
    [
        ({"max_iterations": "5"}, {"profileOverrides": {"loopStrategy": {"maxIterations": 5}}}),
        ({"profile_name": "careful"}, {"profileName": "careful"}),
        (
            {"max_iterations": " 100 ", "profile_name": "careful"},
            {
                "profileOverrides": {"loopStrategy": {"maxIterations": 100}},
                "profileName": "careful",
            },
        ),
    ],
)
def test_trigger_mutation_sends_what_was_set(
    runs_api: RunsAPI, form: TriggerForm, typed: dict[str, str], body: dict[str, Any]
) -> None:
    form.send(**typed)
    [asked] = runs_api.triggered
    assert asked.json == body


def test_trigger_mutation_is_written_down(operator_user: Any, form: TriggerForm) -> None:
    form.send(max_iterations="5", profile_name="careful")
    attempt = TriggerAttempt.objects.get(pk=form.key)
    assert (attempt.user, attempt.work_order_id) == (operator_user, "wo-1")
    assert (attempt.max_iterations, attempt.profile_name) == (5, "careful")
    assert (attempt.outcome, attempt.run_id, attempt.run_number) == ("started", "run-3", 3)


# --- Success navigation


def test_success_navigation_with_htmx(operator: Client) -> None:
    sent = TriggerForm(operator, HTMX).send()
    assert (sent.status, sent.response["HX-Redirect"]) == (200, "/runs/run-3/")


def test_success_navigation_without_scripts(operator: Client) -> None:
    sent = TriggerForm(operator, {}).send()
    assert (sent.status, sent.response["Location"]) == (302, "/runs/run-3/")


def test_success_navigation_says_so_once(form: TriggerForm) -> None:
    sent = form.send()
    assert "<span>Run #3 started</span>" in sent.next_page
    assert "Run #3 started" not in sent.next_page


def test_success_navigation_without_a_run_number(runs_api: RunsAPI, form: TriggerForm) -> None:
    answered = {"runId": "run-3", "status": "building", "startedAt": "2026-11-23T10:43:30.498Z"}
    runs_api.triggers(api.data(answered, status=202))
    assert "<span>Run #3 started</span>" in form.send().next_page


def test_success_is_not_claimed_of_a_run_that_nobody_has_seen(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    """Recorded: the run that is accepted under an ID alone may never exist."""
    runs_api.triggers(api.data({"runId": "run-4", "status": "building"}, status=202))
    page = form.send().next_page
    assert "<span>Run run-4 accepted</span>" in page
    assert "run-4 started" not in page


@pytest.mark.parametrize("number", [10**30, -1, 0, "3", 2.5, True])
def test_success_navigation_with_a_number_that_is_none(
    runs_api: RunsAPI, form: TriggerForm, number: Any
) -> None:
    runs_api.triggers(api.data(STARTED | {"runNumber": number}, status=201))
    assert "<span>Run #3 started</span>" in form.send().next_page


@pytest.mark.parametrize("run_id", ["a/b", "..", "100%", 'quo"te', "two words", "ünï"])
def test_success_navigation_with_an_odd_id(
    runs_api: RunsAPI, form: TriggerForm, run_id: str
) -> None:
    runs_api.triggers(api.data({"runId": run_id}, status=201))
    runs_api.has_run(id=run_id, runNumber=3)
    assert '<h1 id="run-title">Run #3</h1>' in form.send().next_page


# --- Error handling (each row of the table: test_trigger_run_errors.py)


def test_error_handling(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.go_away()
    assert "Could not connect to server. Please try again." in form.send().html


def test_error_handling_then_success_with_the_same_key(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.triggers(api.refusal(429, "RATE_LIMITED"))
    form.send()
    runs_api.triggers(api.data(STARTED, status=201))
    assert form.send().location == "/runs/run-3/"
    assert TriggerAttempt.objects.get().outcome == "started"


def test_error_handling_survives_a_code_longer_than_its_column(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.triggers(api.refusal(400, "X" * 500))
    assert "An unexpected error occurred" in form.send().html
    assert TriggerAttempt.objects.get().outcome == "X" * 64


# --- Cache invalidation


def test_cache_invalidation(runs_api: RunsAPI, form: TriggerForm) -> None:
    page = "/work-orders/wo-1/"
    assert "Runs (2)" in form.client.get(page).content.decode()
    form.send()
    new_run = {"id": "run-3", "runNumber": 3, "status": "running"}
    runs_api.has(status="running", runs=[new_run, *OLD_RUNS])
    shown = form.client.get(page).content.decode()
    assert "Runs (3)" in shown
    assert "Run #3 is in progress" in " ".join(re.sub(r"<[^>]+>", " ", shown).split())


# --- Who may


def test_viewer_starts_nothing(runs_api: RunsAPI, viewer: Client) -> None:
    sent = TriggerForm(viewer, {}).send()
    assert sent.status == 403
    assert "Not allowed" in sent.html
    assert runs_api.asked == []


def test_viewer_gets_no_dialog(viewer: Client) -> None:
    assert TriggerForm(viewer, {}).open().status == 403


def test_stranger_is_sent_to_sign_in(runs_api: RunsAPI, client: Client, db: None) -> None:
    sent = TriggerForm(client, {}).send()
    assert sent.location.startswith("/sign-in/?next=/work-orders/wo-1/trigger/")
    assert runs_api.asked == []


def test_form_of_another_site_starts_nothing(runs_api: RunsAPI, operator_user: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator_user)
    sent = TriggerForm(client, {"Origin": "https://elsewhere.example"}).send()
    assert sent.status == 403
    assert "This form has expired" in sent.html
    assert runs_api.asked == []


def test_form_with_its_csrf_token_starts_a_run(operator_user: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator_user)
    form = TriggerForm(client, {})
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.open().html)
    assert token
    assert form.send(csrfmiddlewaretoken=token[1]).location == "/runs/run-3/"


# --- Exactly once


def test_same_key_twice_starts_one_run(runs_api: RunsAPI, form: TriggerForm) -> None:
    assert form.send().location == form.send().location == "/runs/run-3/"
    assert len(runs_api.triggered) == 1


def test_same_key_twice_finds_the_queued_run(runs_api: RunsAPI, form: TriggerForm) -> None:
    details = {"runId": "run-3", "runNumber": 3, "status": "queued", "queuePosition": 1}
    runs_api.triggers(api.refusal(202, "CAPACITY_EXCEEDED", details=details))
    assert form.send().location == form.send().location == "/runs/run-3/"
    assert len(runs_api.triggered) == 1


def test_key_of_another_person_is_refused(runs_api: RunsAPI, form: TriggerForm, db: None) -> None:
    form.send()
    other = Client()
    other.force_login(ensure_account("other", can_trigger=True))
    sent = TriggerForm(other, form.headers, key=form.key).send()
    assert sent.status == 422
    assert "This dialog was already used to start a run." in sent.html
    assert len(runs_api.triggered) == 1


def test_key_of_another_work_order_is_refused(runs_api: RunsAPI, form: TriggerForm) -> None:
    form.send()
    runs_api.has(id="wo-2")
    sent = TriggerForm(form.client, form.headers, "wo-2", form.key).send()
    assert sent.status == 422
    assert "This dialog was already used to start a run." in sent.html
    assert len(runs_api.triggered) == 1


@pytest.mark.parametrize("key", ["", "no-key", "../../x"])
def test_form_without_a_key_starts_nothing(runs_api: RunsAPI, form: TriggerForm, key: str) -> None:
    form.key = key
    sent = form.send()
    assert sent.status == 422
    assert "This form is not complete. Close it and open it again." in sent.html
    assert runs_api.triggered == []


def test_two_dialogs_start_two_runs(runs_api: RunsAPI, form: TriggerForm) -> None:
    form.send()
    form.key = str(uuid.uuid4())
    form.send()
    assert len({asked.headers["idempotency-key"] for asked in runs_api.triggered}) == 2


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(operator: Client, method: str) -> None:
    assert getattr(operator, method)("/work-orders/wo-1/trigger/").status_code == 405
