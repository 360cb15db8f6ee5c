"""An answer proves a start only when it names a run that was not there before.

``tests/exactly_once/`` drives every such lie through retries, double submits and two processes.
"""

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.page_text import show, text_of
from tests.support.runs_api import Asked, Handler, RunsAPI
from tests.support.trigger_form import HTMX, Answered, TriggerForm
from workorders.attempts.models import TriggerAttempt

OLD = {"id": "run-1", "runNumber": 1, "status": "failed"}
NEW = {"id": "run-2", "runNumber": 2, "status": "building", "workOrderId": "wo-1"}
NAMES_OLD = api.data({"runId": "run-1", "status": "building"}, 202)
"""As a real server answers when making the run takes it longer than 100 ms."""
CHECKING = "Checking whether your run started…"


@pytest.fixture(autouse=True)
def _failed_work_order(runs_api: RunsAPI) -> None:
    runs_api.has(runs=[OLD])
    runs_api.has_run(**OLD)


def appears(runs_api: RunsAPI) -> None:
    runs_api.has(status="queued", runs=[NEW, OLD])
    runs_api.has_run(**NEW)


def check(form: TriggerForm, **fields: str) -> Answered:
    response = form.client.post(f"{form.url}{form.key}/", fields, headers=form.headers)
    return Answered(response, form.client)


def test_old_run_is_not_the_one_just_started(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(NAMES_OLD)
    answered = form.send()
    text = text_of(answered.html or answered.next_page)
    assert CHECKING in text
    assert "The runs API accepted the start, but named another run." in text
    assert "Triggered by" not in show(form.client, "/runs/run-1/")
    appears(runs_api)
    answered = check(form)
    assert answered.location == "/runs/run-2/"
    page = text_of(answered.next_page)
    assert "Run #2 started" in page
    assert "Triggered by operator" in page
    assert "Triggered by" not in show(form.client, "/runs/run-1/")
    assert len(runs_api.triggered) == 1


def test_run_that_never_turns_up_could_not_be_found_out(
    runs_api: RunsAPI, form: TriggerForm, settings: Settings
) -> None:
    settings.RUNS_API_SETTLE_SECONDS = 0
    runs_api.triggers(NAMES_OLD)
    words = "We could not find out: the runs API accepted the start, but named another run"
    assert words in text_of(form.send().html)
    receipts = text_of(show(form.client, "/work-orders/wo-1/"))
    assert "Unknown: the runs API accepted the start and named another run" in receipts


def test_open_dialog_that_could_not_find_out_goes_on_asking(
    runs_api: RunsAPI, operator: Client, settings: Settings
) -> None:
    settings.RUNS_API_SETTLE_SECONDS = 0
    form = TriggerForm(operator, HTMX)
    runs_api.triggers(NAMES_OLD)
    assert "data-asks-on" in form.send().html
    assert check(form, shown="not-known").status == 204
    appears(runs_api)
    answered = check(form, shown="not-known")
    assert answered.location == "/runs/run-2/"
    assert "Run #2 started" in answered.next_page


def test_page_of_the_real_run_says_whose_it_is(
    runs_api: RunsAPI, operator: Client, settings: Settings
) -> None:
    """Nobody has looked since: the page itself links the run."""
    settings.RUNS_API_SETTLE_SECONDS = 0
    runs_api.triggers(NAMES_OLD)
    TriggerForm(operator, {}).send()
    appears(runs_api)
    assert "Triggered by operator" in text_of(show(operator, "/runs/run-2/"))


def test_full_server_that_names_an_old_run_has_queued_nothing_that_is_known(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    details = {"runId": "run-1", "runNumber": 1, "queuePosition": 2}
    runs_api.triggers(api.refusal(202, "CAPACITY_EXCEEDED", details=details))
    answered = form.send()
    text = text_of(answered.html or answered.next_page)
    assert CHECKING in text
    assert "Your run has been queued" not in text


def test_answer_about_another_work_order_is_settled_by_looking(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    told = {"runId": "run-9", "runNumber": 9, "workOrderId": "wo-9"}

    def start(handler: Handler, asked: Asked) -> None:
        appears(runs_api)
        api.data(told, 201)(handler, asked)

    runs_api.triggers(start)
    answered = form.send()
    assert answered.location == "/runs/run-2/"
    assert "Run #2 started" in answered.next_page


def test_number_that_is_not_the_run_s_is_not_said(runs_api: RunsAPI, form: TriggerForm) -> None:
    told = {"runId": "run-2", "runNumber": 7, "workOrderId": "wo-1"}

    def start(handler: Handler, asked: Asked) -> None:
        appears(runs_api)
        api.data(told, 201)(handler, asked)

    runs_api.triggers(start)
    page = text_of(form.send().next_page)
    assert "Run #2 started" in page
    assert "#7" not in page
    assert TriggerAttempt.objects.get().run_number == 2


def test_key_sent_again_may_name_a_run_that_is_known_by_then(
    runs_api: RunsAPI, form: TriggerForm, settings: Settings
) -> None:
    settings.RUNS_API_HONOURS_KEYS = True

    def lose_the_first(handler: Handler, asked: Asked) -> None:
        appears(runs_api)
        is_first = len(runs_api.triggered) == 1
        again = api.data({"runId": "run-2", "runNumber": 2, "workOrderId": "wo-1"}, 201)
        (api.reset if is_first else again)(handler, asked)

    runs_api.triggers(lose_the_first)
    assert form.send().location == "/runs/run-2/"
    attempt = TriggerAttempt.objects.get()
    assert (attempt.run_number, attempt.run_source) == (2, "response")


@pytest.mark.parametrize("ago", [3600, 20])
def test_run_of_a_server_that_lists_none_may_be_an_old_one(
    runs_api: RunsAPI, operator: Client, ago: int
) -> None:
    order = {"id": "wo-1", "taskPrompt": "Fix the login", "status": "failed"}
    runs_api.on("GET", "/work-orders/wo-1", api.data(order))
    began = timezone.now() - dt.timedelta(seconds=ago)
    runs_api.has_run(**OLD, startedAt=began.isoformat())
    runs_api.triggers(api.data({"runId": "run-1", "runNumber": 1, "workOrderId": "wo-1"}, 201))
    page = text_of(
        operator.get(TriggerForm(operator, {}).send().location, follow=True).content.decode()
    )
    assert "Run #1 started" not in page
    assert "Triggered by" not in page
    words = "We could not find out" if ago == 3600 else "It may be an older run"
    assert words in page


@pytest.mark.parametrize("ago", [3600, 20])
def test_run_that_does_not_say_whose_it_is_may_be_another_work_order_s(
    runs_api: RunsAPI, operator: Client, ago: int
) -> None:
    """Its work order would list it, were it the new run."""
    began = timezone.now() - dt.timedelta(seconds=ago)
    told = {"id": "run-9", "workOrderId": None, "runNumber": None, "startedAt": began.isoformat()}
    runs_api.has_run(**told)
    runs_api.triggers(api.data({"runId": "run-9"}, 202))
    page = text_of(
        operator.get(TriggerForm(operator, {}).send().location, follow=True).content.decode()
    )
    assert "run-9 started" not in page
    assert "Triggered by" not in page
    assert ("We could not find out" if ago == 3600 else "It may be an older run") in page
    if ago == 20:
        runs_api.has(status="failed", runs=[{"id": "run-9", "startedAt": began.isoformat()}, OLD])
        assert "Triggered by operator" in text_of(show(operator, "/runs/run-9/"))


def test_run_numbered_before_the_start_is_an_old_one(runs_api: RunsAPI, operator: Client) -> None:
    """A list of runs may be cut: an old run need not be among those that were known."""
    runs_api.has(runCount=60, runs=[{"id": "run-60", "runNumber": 60, "status": "failed"}])
    runs_api.triggers(api.data({"runId": "run-1"}, 202))
    page = text_of(
        operator.get(TriggerForm(operator, {}).send().location, follow=True).content.decode()
    )
    assert "Run #1 started" not in page
    assert "We could not find out" in page or CHECKING in page
    assert "Triggered by" not in show(operator, "/runs/run-1/")


def test_state_and_reason_are_of_one_moment(runs_api: RunsAPI, operator: Client) -> None:
    """The run ends between the read of itself and that of its work order."""
    runs_api.has(status="running", runs=[NEW, OLD])
    runs_api.has_run(**NEW)

    def ends(handler: Handler, asked: Asked) -> None:
        ended = NEW | {"status": "succeeded"}
        runs_api.has_run(**ended)
        order = {"id": "wo-1", "taskPrompt": "Fix", "status": "succeeded", "runs": [ended, OLD]}
        api.data(order)(handler, asked)

    runs_api.on("GET", "/work-orders/wo-1", ends)
    html = show(operator, "/runs/run-2/")
    assert 'data-status="succeeded"' in html
    assert 'data-status="building"' not in html


def test_reason_counts_a_run_that_its_work_order_does_not_list_yet(
    runs_api: RunsAPI, operator: Client
) -> None:
    runs_api.has_run(**NEW)
    assert "Run #2 is in progress" in text_of(show(operator, "/runs/run-2/"))
