"""A run is in progress already: who started it, since when, and where it is."""

import datetime as dt
import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.support import runs_api as api
from tests.support.attempts import attempted
from tests.support.page_text import show, text_of
from tests.support.runs_api import RunsAPI, refusal
from tests.support.trigger_form import TriggerForm
from workorders.accounts.users import ensure_account

MESSAGE = "A run is already in progress for this work order"
ACTIVE = {"id": "run-3", "runNumber": 3, "status": "running", "startedAt": "2026-01-02T10:00:00Z"}
HOSTILE = "<b>mallory</b>"


@pytest.fixture
def alice(db: None) -> User:
    return ensure_account("alice", can_trigger=True)


@pytest.fixture(autouse=True)
def _active_run(runs_api: RunsAPI) -> None:
    runs_api.has(status="running", runs=[ACTIVE])
    runs_api.has_run(**ACTIVE)
    runs_api.triggers(refusal(409, "RUN_ALREADY_ACTIVE"))


def has_run_for(runs_api: RunsAPI, seconds: float) -> None:
    started_at = timezone.now() - dt.timedelta(seconds=seconds)
    run = ACTIVE | {"startedAt": started_at.isoformat()}
    runs_api.has(status="running", runs=[run])
    runs_api.has_run(**run)


def toast_of(page: str) -> str:
    found = re.search(r'<div id="toasts".*?<div id="new-toasts"', page, re.DOTALL)
    assert found
    return found[0]


def said_by_toast(form: TriggerForm) -> str:
    return text_of(toast_of(form.send().next_page))


def said_by_dialog(form: TriggerForm) -> str:
    return text_of(form.open().html)


WHERE = {"toast": said_by_toast, "dialog": said_by_dialog}


@pytest.mark.parametrize("where", WHERE)
def test_who_and_since_when(runs_api: RunsAPI, form: TriggerForm, alice: User, where: str) -> None:
    has_run_for(runs_api, 125)
    attempted(alice, run_id="run-3", ago=125)
    said = f"{MESSAGE}. Run #3 was started by alice 2 min ago . View Run #3"
    assert said in WHERE[where](form)


@pytest.mark.parametrize("where", WHERE)
def test_own_run(form: TriggerForm, operator_user: User, where: str) -> None:
    attempted(operator_user, run_id="run-3")
    assert "Run #3 was started by you" in WHERE[where](form)


@pytest.mark.parametrize("where", WHERE)
def test_started_elsewhere(runs_api: RunsAPI, form: TriggerForm, where: str) -> None:
    text = WHERE[where](form)
    assert re.search(rf"{MESSAGE}\. Run #3 was started \d+ d ago \. View Run #3", text)


@pytest.mark.parametrize("where", WHERE)
def test_run_of_the_same_id_in_another_work_order(
    form: TriggerForm, alice: User, where: str
) -> None:
    attempted(alice, run_id="run-3", work_order_id="wo-2")
    assert "alice" not in WHERE[where](form)


def test_run_that_the_api_names_by_itself(
    runs_api: RunsAPI, form: TriggerForm, alice: User
) -> None:
    """The work order does not list it, so the time is the attempt's."""
    runs_api.has()
    attempted(alice, run_id="run-8", ago=125)
    details = {"runId": "run-8", "runNumber": 8}
    runs_api.triggers(refusal(409, "RUN_ALREADY_ACTIVE", details=details))
    assert "Run #8 was started by alice 2 min ago . View Run #8" in said_by_toast(form)


def test_run_of_which_nothing_is_known_but_its_name(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.has()
    details = {"runId": "run-8", "runNumber": 8}
    runs_api.triggers(refusal(409, "RUN_ALREADY_ACTIVE", details=details))
    assert f"{MESSAGE}. View Run #8" in said_by_toast(form)


@pytest.mark.parametrize("where", WHERE)
def test_time_is_for_the_page_s_script(form: TriggerForm, alice: User, where: str) -> None:
    attempted(alice, run_id="run-3")
    html = toast_of(form.send().next_page) if where == "toast" else form.open().html
    assert re.search(
        r"started by <bdi>alice</bdi> "
        r'<time datetime="[^"]+" title="[^"]+" data-moment=ago data-age="\d+">',
        html,
    )


@pytest.mark.parametrize("where", WHERE)
def test_name_is_text(form: TriggerForm, where: str) -> None:
    attempted(ensure_account(HOSTILE, can_trigger=True), run_id="run-3")
    html = toast_of(form.send().next_page) if where == "toast" else form.open().html
    assert "&lt;b&gt;mallory" in html
    assert HOSTILE not in html


@pytest.mark.parametrize("page", ["/work-orders/wo-1/", "/runs/run-3/"])
def test_disabled_button_says_the_same(
    runs_api: RunsAPI, operator: Client, alice: User, page: str
) -> None:
    has_run_for(runs_api, 125)
    attempted(alice, run_id="run-3", ago=125)
    text = text_of(show(operator, page))
    assert "Run #3 is in progress, started by alice 2 min ago" in text


def test_age_of_a_run_is_what_it_has_been_running_for(
    runs_api: RunsAPI, operator: Client, alice: User
) -> None:
    """Though the clock of the API is behind the dashboard's, by which the request went out now."""
    has_run_for(runs_api, 135)
    attempted(alice, run_id="run-3")
    html = show(operator, "/runs/run-3/")
    [age] = re.findall(r'data-age="(\d+)"', html)
    [running_for] = re.findall(r'data-elapsed="(\d+)"', html)
    assert abs(int(age) - int(running_for)) <= 1
    assert "started by alice 2 min ago" in text_of(html)


def test_disabled_button_of_a_run_without_a_time(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has(status="running", runs=[ACTIVE | {"startedAt": None}])
    html = show(operator, "/work-orders/wo-1/")
    reason = re.search(r'<p id="trigger-run-reason".*?</p>', html, re.DOTALL)
    assert reason
    assert text_of(reason[0]) == "Run #3 is in progress"


def test_generic_conflict_is_as_well_explained(
    runs_api: RunsAPI, form: TriggerForm, alice: User
) -> None:
    """Recorded: every refusal carries the code CONFLICT."""
    attempted(alice, run_id="run-3")
    runs_api.triggers(api.refusal(409, "CONFLICT"))
    assert "started by alice" in said_by_toast(form)
