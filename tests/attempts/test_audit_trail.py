"""Every attempt to start a run leaves a receipt: on the pages, and as JSON lines."""

import json
import re
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.attempts import State, attempted, refused
from tests.support.commands import run_command
from tests.support.page_text import show, text_of, version_of
from tests.support.runs_api import Asked, Handler, RunsAPI, refusal
from tests.support.trigger_form import TriggerForm
from workorders.accounts.users import ensure_account
from workorders.attempts.models import TriggerAttempt

WORK_ORDER = "/work-orders/wo-1/"
ALL = "/work-orders/wo-1/attempts/"


@pytest.fixture
def alice(db: None) -> User:
    return ensure_account("alice", can_trigger=True)


@pytest.fixture(autouse=True)
def _failed_run(runs_api: RunsAPI) -> None:
    run = {"id": "run-1", "runNumber": 1, "status": "failed"}
    runs_api.has(runs=[run])
    runs_api.has_run(**run)


def receipt_on(page: str) -> str:
    found = re.search(r"Triggered by .*?</p>", page, re.DOTALL)
    assert found
    return text_of(found[0])


# --- On the run's page


def test_run_says_who_triggered_it_with_what(operator: Client, alice: User) -> None:
    attempted(alice, max_iterations=5, profile_name="careful")
    receipt = receipt_on(show(operator, "/runs/run-1/"))
    assert receipt.startswith("Triggered by alice at ")
    assert receipt.endswith(", asked for Max Iterations 5, Profile careful")


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({}, "with this work order's settings"),
        ({"max_iterations": 1}, ", asked for Max Iterations 1"),
        ({"profile_name": "careful"}, ", asked for Profile careful"),
    ],
)
def test_run_says_its_options(
    operator: Client, alice: User, overrides: dict[str, Any], words: str
) -> None:
    attempted(alice, **overrides)
    assert receipt_on(show(operator, "/runs/run-1/")).endswith(words)


def test_run_that_was_started_elsewhere_says_nothing(operator: Client) -> None:
    assert "Triggered by" not in show(operator, "/runs/run-1/")


def test_run_of_the_same_id_in_another_work_order_is_another(operator: Client, alice: User) -> None:
    attempted(alice, work_order_id="wo-2")
    assert "Triggered by" not in show(operator, "/runs/run-1/")


def test_run_of_an_api_that_keeps_no_options_shows_those_it_was_started_with(
    operator: Client, alice: User
) -> None:
    attempted(alice, max_iterations=5)
    assert "Overrides Asked for Max Iterations 5" in text_of(show(operator, "/runs/run-1/"))


def test_trigger_leaves_its_receipt(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(api.data({"runId": "run-2", "runNumber": 2, "status": "queued"}, 201))
    runs_api.has_run(id="run-2", runNumber=2, status="queued")
    receipt = receipt_on(form.send(max_iterations="7").next_page)
    assert receipt.startswith("Triggered by operator at ")
    assert receipt.endswith(", asked for Max Iterations 7")


def test_options_are_called_the_runs_own_once_the_api_shows_them(
    runs_api: RunsAPI, operator: Client, alice: User
) -> None:
    """A server that ignores the body of a trigger runs with its own settings."""
    attempted(alice, max_iterations=1, profile_name="careful")
    runs_api.has_run(maxIterations=5, profileName="careful")
    assert receipt_on(show(operator, "/runs/run-1/")).endswith(
        ", asked for Max Iterations 1, Profile careful"
    )
    runs_api.has_run(maxIterations=1, profileName="careful")
    assert receipt_on(show(operator, "/runs/run-1/")).endswith(
        " UTC with Max Iterations 1, Profile careful"
    )


# --- On the work order's page


def attempts_on(page: str) -> str:
    return text_of(page).partition("Start attempts, newest first")[2]


def test_work_order_lists_its_attempts_newest_first(
    operator: Client, alice: User, operator_user: User
) -> None:
    attempted(alice, ago=90, max_iterations=5, run_number=1)
    refused(operator_user, "RUN_ALREADY_ACTIVE", ago=60)
    text = attempts_on(show(operator, WORK_ORDER))
    first, second = "Not started: A run is already in progress for this work order", "Started"
    assert text.index(first) < text.index("operator") < text.index(second, text.index("operator"))
    assert text.index("operator") < text.index("alice")
    assert "Max Iterations 5" in text
    assert "0.25 s" in text


def test_every_sending_of_a_dialog_is_kept(runs_api: RunsAPI, operator: Client) -> None:
    form = TriggerForm(operator, {})
    for reply in (
        refusal(429, "RATE_LIMITED"),
        refusal(401, "UNAUTHORIZED"),
        api.data({"runId": "run-2", "runNumber": 2, "workOrderId": "wo-1"}, 201),
    ):
        runs_api.triggers(reply)
        form.send()
    text = attempts_on(show(operator, WORK_ORDER))
    first, second = "Before that: The runs API does not accept", "Before that: Too many requests"
    assert text.index("Started") < text.index(first) < text.index(second)
    [line] = exported()
    assert [entry["outcome"] for entry in line["earlier"]] == ["RATE_LIMITED", "UNAUTHORIZED"]
    assert {entry["apiRequestId"] for entry in line["earlier"]} == {api.REQUEST_ID}


def test_what_was_sent_before_keeps_its_options_and_its_request(
    runs_api: RunsAPI, operator: Client
) -> None:
    form = TriggerForm(operator, {})
    runs_api.triggers(refusal(429, "RATE_LIMITED"))
    first = form.send(max_iterations="7").response["X-Request-ID"]
    runs_api.triggers(api.data({"runId": "run-2", "runNumber": 2}, 201))
    form.send(max_iterations="9")
    [line] = exported()
    [earlier] = line["earlier"]
    assert (earlier["maxIterations"], earlier["requestId"]) == (7, first)
    assert earlier["durationSeconds"] > 0
    assert line["maxIterations"] == 9


def test_start_that_was_turned_away_says_why(
    runs_api: RunsAPI, operator: Client, alice: User
) -> None:
    attempted(alice, state=State.UNCONFIRMED, run_id="", settled_at=None, known_run_ids=["run-1"])
    form = TriggerForm(operator, {})
    assert "Another start of this work order is under way" in form.send(max_iterations="7").html
    text = attempts_on(show(operator, WORK_ORDER))
    assert "Not started: Another start of this work order was under way" in text
    line = exported()[-1]
    assert (line["outcome"], line["maxIterations"]) == ("TRIGGER_IN_PROGRESS", 7)
    page = operator.get(f"{WORK_ORDER}trigger/{form.key}/").content.decode()
    assert "The run was not started." in page


def test_run_that_was_accepted_and_not_seen_is_not_called_started(
    runs_api: RunsAPI, operator: Client, alice: User
) -> None:
    attempted(alice, run_id="run-2", known_run_ids=["run-1"])
    assert "Accepted, waiting for it to appear" in attempts_on(show(operator, WORK_ORDER))
    runs_api.has_run(id="run-2", runNumber=2)
    show(operator, "/runs/run-2/")
    assert "Started · Run #2" in attempts_on(show(operator, WORK_ORDER))


@pytest.mark.parametrize("page", [WORK_ORDER, ALL])
def test_run_that_never_appeared_is_called_so_on_every_page(
    operator: Client, alice: User, page: str
) -> None:
    attempted(alice, run_id="run-2", known_run_ids=["run-1"], ago=3600)
    words = "Accepted, but it never appeared"
    assert words in attempts_on(show(operator, page))
    assert f"Run {words.lower()}." in text_of(show(operator, "/runs/run-2/"))


@pytest.mark.parametrize("page", [WORK_ORDER, ALL])
def test_open_page_corrects_what_could_not_be_found_out(
    runs_api: RunsAPI, operator: Client, alice: User, page: str
) -> None:
    lost: dict[str, Any] = {"state": State.UNRESOLVED, "outcome": "NETWORK_ERROR", "run_id": ""}
    attempt = attempted(alice, known_run_ids=["run-1"], **lost)
    html = show(operator, page)
    assert "Unknown: the runs API did not say whether the run started" in html
    assert 'data-live="2"' in html
    assert attempt.sent_at
    new = {"id": "run-2", "runNumber": 2, "status": "building"}
    new["startedAt"] = attempt.sent_at.isoformat()
    runs_api.has(runs=[new, {"id": "run-1", "runNumber": 1, "status": "failed"}])
    html = show(operator, f"{page}?version={version_of(html)}", htmx=True)
    assert "Started, found among the work order's runs · Run #2" in text_of(html)
    runs_api.has_run(**new)
    assert "Triggered by alice" in text_of(show(operator, "/runs/run-2/"))


def test_attempt_links_its_run(operator: Client, alice: User) -> None:
    attempted(alice, run_number=1)
    assert '· <a href="/runs/run-1/">Run #1</a>' in show(operator, WORK_ORDER)


def test_started_attempt_keeps_the_api_s_request(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.triggers(api.data({"runId": "run-2", "runNumber": 2}, 201))
    TriggerForm(operator, {}).send()
    assert TriggerAttempt.objects.get().api_request_id == api.REQUEST_ID


def test_started_attempt_keeps_the_request_of_a_response_that_was_lost(
    runs_api: RunsAPI, operator: Client, settings: Settings
) -> None:
    """The response to the repetition names no request."""
    settings.RUNS_API_HONOURS_KEYS = True
    started = api.answer(201, b'{"success": true, "data": {"runId": "run-2", "runNumber": 2}}')

    def lose_the_first(handler: Handler, asked: Asked) -> None:
        first = len(runs_api.triggered) == 1
        (refusal(502, "BAD_GATEWAY") if first else started)(handler, asked)

    runs_api.triggers(lose_the_first)
    assert TriggerForm(operator, {}).send().location == "/runs/run-2/"
    assert f"request {api.REQUEST_ID}" in attempts_on(show(operator, WORK_ORDER))


def test_attempt_names_the_api_s_request(operator: Client, alice: User) -> None:
    refused(alice, "FORBIDDEN", api_request_id="req-9")
    assert "request req-9" in attempts_on(show(operator, WORK_ORDER))


OUTCOMES: dict[str, dict[str, Any]] = {
    "Queued": {"outcome": "queued"},
    "Started, found among the work order's runs": {"run_source": "reconciled"},
    "Not started": {"state": State.PENDING, "outcome": "NOT_STARTED", "run_id": ""},
    "Not started: Could not connect to server": {
        "state": State.PENDING,
        "outcome": "NETWORK_ERROR",
        "run_id": "",
    },
    "Not started: The work order had changed since the dialog was opened": {
        "state": State.PENDING,
        "outcome": "CHANGED",
        "run_id": "",
    },
    "Not started: TEAPOT": {"state": State.PENDING, "outcome": "TEAPOT", "run_id": ""},
    "Unknown: the runs API did not say whether the run started": {
        "state": State.UNRESOLVED,
        "outcome": "NETWORK_ERROR",
        "known_run_ids": ["run-1"],
        "run_id": "",
    },
}


@pytest.mark.parametrize("words", OUTCOMES)
def test_outcome_is_in_words(operator: Client, alice: User, words: str) -> None:
    attempted(alice, **OUTCOMES[words])
    text = attempts_on(show(operator, WORK_ORDER))
    assert f"{words} " in text


@pytest.mark.parametrize("state", TriggerAttempt.OPEN)
def test_attempt_that_is_not_settled_says_so(operator: Client, alice: User, state: str) -> None:
    sent: dict[str, Any] = {"settled_at": None, "known_run_ids": ["run-1"]}
    attempt = attempted(alice, state=state, outcome="", run_id="", **sent)
    html = show(operator, WORK_ORDER)
    assert "Not known yet: the runs API did not say whether the run started" in html
    assert f'<a href="/work-orders/wo-1/trigger/{attempt.key}/">Check now</a>' in html
    assert '<details id="attempts" class="attempts" open>' in html


def test_check_is_not_for_viewers(viewer: Client, alice: User) -> None:
    attempted(alice, state=State.UNCONFIRMED, outcome="", run_id="", known_run_ids=["run-1"])
    html = show(viewer, WORK_ORDER)
    assert "Not known yet" in html
    assert "Check now" not in html


def test_work_order_without_attempts_says_nothing_of_them(operator: Client, alice: User) -> None:
    attempted(alice, work_order_id="wo-2")
    assert "Start attempts" not in show(operator, WORK_ORDER)


def test_work_order_shows_ten_and_leads_to_the_rest(operator: Client, alice: User) -> None:
    for number in range(12):
        refused(alice, f"CODE-{number:02}", ago=1000 - number)
    text = attempts_on(html := show(operator, WORK_ORDER))
    assert [f"CODE-{number:02}" in text for number in (0, 1, 2, 11)] == [False, False, True, True]
    assert f'href="{ALL}"' in html
    rest = text_of(show(operator, f"{ALL}?page=2"))
    assert ("CODE-00" in rest, "CODE-01" in rest, "CODE-02" in rest) == (True, True, False)


def test_ten_attempts_are_all_there_are(operator: Client, alice: User) -> None:
    for number in range(10):
        refused(alice, f"CODE-{number}")
    assert ALL not in show(operator, WORK_ORDER)


def test_list_of_no_attempts_is_not_found(operator: Client) -> None:
    assert "Nobody has started a run" in show(operator, ALL, status=404)


def test_page_of_many_attempts_asks_for_all_of_them_at_once(
    operator: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        user = ensure_account(f"user-{number}", can_trigger=True)
        attempt = refused(user, "TEAPOT", was_resent=True)
        attempt.earlier_submissions.create(outcome="TEAPOT")
    # Session, user, permissions (two); attempts, and their earlier submissions.
    with django_assert_max_num_queries(4 + 2) as queries:
        show(operator, WORK_ORDER)
    asked = [q for q in queries.captured_queries if "workorders_triggerattempt" in q["sql"]]
    assert len(asked) == 1


def test_open_page_learns_of_a_new_attempt(operator: Client, alice: User) -> None:
    version = version_of(show(operator, WORK_ORDER))
    refused(alice, "TEAPOT")
    assert "TEAPOT" in show(operator, f"{WORK_ORDER}?version={version}", htmx=True)


def test_refused_trigger_is_listed(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(403, "WORK_ORDER_COMPLETE"))
    text = attempts_on(form.send().next_page)
    assert "Not started: This work order has already succeeded" in text
    assert f"request {api.REQUEST_ID}" in text


# --- As JSON lines


def exported(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run_command("export_attempts", *arguments).splitlines()]


def test_export_has_every_field(alice: User) -> None:
    attempt = attempted(
        alice,
        max_iterations=5,
        profile_name="careful",
        run_number=1,
        known_run_ids=["run-0"],
        request_id="ours",
        api_request_id="theirs",
    )
    [line] = exported()
    assert line == {
        "key": str(attempt.key),
        "user": "alice",
        "workOrderId": "wo-1",
        "maxIterations": 5,
        "profileName": "careful",
        "state": "started",
        "outcome": "started",
        "runId": "run-1",
        "runNumber": 1,
        "earlier": [],
        "provisionalRunId": "",
        "appeared": False,
        "found": False,
        "queuePosition": None,
        "wasSent": True,
        "knownRunIds": ["run-0"],
        "nextRunNumber": None,
        "createdAt": utc(attempt.created_at),
        "sentAt": utc(attempt.sent_at),
        "lostAt": None,
        "settledAt": utc(attempt.settled_at),
        "durationSeconds": 0.25,
        "requestId": "ours",
        "apiRequestId": "theirs",
    }


def utc(moment: Any) -> str:
    return str(moment.isoformat().replace("+00:00", "Z"))


def test_export_covers_the_model(alice: User) -> None:
    """A field that is added is exported, too.

    ``durationSeconds`` is no column, and ``was_resent`` says no more than ``earlier``.
    """
    attempted(alice)
    assert len(exported()[0]) == len(TriggerAttempt._meta.get_fields())


def test_export_is_oldest_first_and_of_all_work_orders(alice: User) -> None:
    refused(alice, "SECOND")
    refused(alice, "FIRST", ago=60, work_order_id="wo-2")
    assert [line["outcome"] for line in exported()] == ["FIRST", "SECOND"]


def test_export_of_one_work_order(alice: User) -> None:
    refused(alice, "ONE")
    refused(alice, "OTHER", work_order_id="wo-2")
    assert [line["outcome"] for line in exported("--work-order", "wo-2")] == ["OTHER"]


def test_export_since(alice: User) -> None:
    attempt = refused(alice, "NEW")
    refused(alice, "OLD", ago=3600)
    since = utc(attempt.created_at)
    assert [line["outcome"] for line in exported("--since", since)] == ["NEW"]


def test_export_since_no_time(db: None) -> None:
    with pytest.raises(CommandError, match="no ISO 8601 time"):
        exported("--since", "yesterday")


def test_export_of_an_attempt_that_was_never_sent(alice: User) -> None:
    never: dict[str, Any] = {"sent_at": None, "settled_at": None, "known_run_ids": None}
    attempted(alice, state=State.PENDING, was_sent=False, **never)
    [line] = exported()
    assert (line["sentAt"], line["durationSeconds"], line["knownRunIds"]) == (None, None, None)


def test_export_of_nothing(db: None) -> None:
    assert exported() == []


def test_key_of_an_export_is_the_attempt_s(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(refusal(403, "FORBIDDEN"))
    form.send()
    assert [UUID(line["key"]) for line in exported()] == [UUID(form.key)]
