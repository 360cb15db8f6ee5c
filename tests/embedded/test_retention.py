"""Retention: what ``clean_up`` removes after how many days, and what is never removed."""

import datetime as dt
import json
from collections.abc import Callable
from importlib import import_module

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from tests.embedded.conftest import Api
from workorders.attempts.models import TriggerAttempt
from workorders.embedded.models import Run, WorkOrder

State = TriggerAttempt.State


def days_ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


@pytest.fixture
def runs(work_order: WorkOrder, run: Callable[..., Run]) -> list[Run]:
    """Three runs of one work order, which ended 30, 30 and 1 days ago."""
    found = []
    for days in (30, 30, 1):
        WorkOrder.objects.update(status="failed")
        Run.objects.update(status="failed")
        ended = run()
        Run.objects.filter(pk=ended.pk).update(completed_at=days_ago(days))
        found.append(ended)
    return found


@pytest.fixture
def attempts(operator_user: User) -> dict[str, TriggerAttempt]:
    """One attempt for each state, by state; all are 30 days old."""
    for state in State:
        TriggerAttempt.objects.create(user=operator_user, work_order_id=f"wo-{state}", state=state)
    TriggerAttempt.objects.update(created_at=days_ago(30))
    return {attempt.state: attempt for attempt in TriggerAttempt.objects.all()}


def test_everything_is_kept_by_default(
    runs: list[Run], attempts: dict[str, TriggerAttempt]
) -> None:
    sizes = set(Run.objects.values_list("log_size"))
    call_command("clean_up")
    assert Run.objects.count() == len(runs)
    assert set(Run.objects.values_list("log_size")) == sizes
    assert TriggerAttempt.objects.count() == len(attempts)


def test_old_runs_are_removed_except_the_newest_of_a_work_order(
    runs: list[Run], work_order: WorkOrder, settings: Settings, api: Api
) -> None:
    settings.RUNS_KEPT_DAYS = 10
    call_command("clean_up")
    assert [run.pk for run in Run.objects.all()] == [runs[-1].pk]
    Run.objects.update(completed_at=days_ago(300))
    call_command("clean_up")
    assert [run.pk for run in Run.objects.all()] == [runs[-1].pk]
    work_order.refresh_from_db()
    assert work_order.run_count == 3, "numbers are never given twice"


def test_removed_logs_are_replaced_by_a_notice(
    runs: list[Run], settings: Settings, api: Api
) -> None:
    settings.LOGS_KEPT_DAYS = 10
    for _ in range(2):
        call_command("clean_up")
        log = api.data(f"/runs/{runs[0].pk}/log")
        assert "This log was removed after 10 days" in log["text"]
        assert log["complete"]
    assert "Run succeeded" in api.data(f"/runs/{runs[-1].pk}/log")["text"]


def test_old_attempts_are_written_to_a_file_before_removal(
    attempts: dict[str, TriggerAttempt], settings: Settings
) -> None:
    settings.ATTEMPTS_KEPT_DAYS = 10
    call_command("clean_up")
    left = {attempt.state for attempt in TriggerAttempt.objects.all()}
    assert left == {State.SENT, State.UNCONFIRMED}, "attempts that are not final stay"
    file = settings.DATA_DIR / "removed-attempts.jsonl"
    written = {json.loads(line)["key"] for line in file.read_text().splitlines()}
    assert written == {str(attempts[state].key) for state in set(State) - left}
    assert file.stat().st_mode & 0o777 == 0o600


def test_expired_sessions_are_removed(db: None, settings: Settings) -> None:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store.set_expiry(days_ago(1))
    store.save()
    assert store.exists(store.session_key)
    call_command("clean_up")
    assert not store.exists(store.session_key)
