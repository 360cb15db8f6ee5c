"""``manage.py load_examples``: its data, and the outcome of its example runs."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from django.core.management import call_command
from pytest_django import Settings

from tests.embedded.conftest import Api, eventually
from tests.support.embedded_workers import WorkerProcess
from workorders.embedded.models import Run, WorkOrder
from workorders.embedded.profiles import PACKAGED_FILE

AUTHENTICATION = "Fix the authentication bug in the login flow"


def test_examples_have_work_orders_of_every_kind(api: Api, settings: Settings) -> None:
    settings.PROFILES_FILE.unlink()
    call_command("load_examples")
    items = api.data("/work-orders")["items"]
    assert Counter(item["status"] for item in items) == {"queued": 4, "failed": 2, "canceled": 1}
    assert max(item["runCount"] for item in items) == 30
    assert max(len(item["taskPrompt"]) for item in items) > 2000
    assert items[0]["taskPrompt"] == AUTHENTICATION
    assert "[profiles.patient]" in settings.PROFILES_FILE.read_text()


def test_history_is_marked(api: Api) -> None:
    call_command("load_examples")
    imported = Run.objects.filter(imported=True)
    assert imported.count() == 32
    for run in imported[:3]:
        assert "history" in api.data(f"/runs/{run.pk}/log")["text"]
        assert api.data(f"/runs/{run.pk}")["imported"] is True
    assert not Run.objects.filter(imported=False).exclude(status="queued").exists()


def test_history_is_in_the_past_and_in_order(api: Api) -> None:
    call_command("load_examples")
    (work_order,) = WorkOrder.objects.filter(run_count=30)
    times = [
        timestamp
        for run in work_order.runs.order_by("number")
        for timestamp in (run.queued_at, run.started_at, run.completed_at)
        if timestamp
    ]
    assert times == sorted(times)
    assert work_order.created_at < times[0]


def test_examples_are_loaded_only_into_an_empty_database(api: Api, work_order: WorkOrder) -> None:
    call_command("load_examples")
    assert list(WorkOrder.objects.all()) == [work_order]


def test_own_profiles_are_kept(api: Api, settings: Settings) -> None:
    before = settings.PROFILES_FILE.read_text()
    call_command("load_examples")
    assert settings.PROFILES_FILE.read_text() == before


@pytest.mark.parametrize(
    ("prompt", "overrides", "status"),
    [
        (AUTHENTICATION, {}, "failed"),
        (AUTHENTICATION, {"profileOverrides": {"loopStrategy": {"maxIterations": 5}}}, "succeeded"),
        ("Make the discount test pass", {"profileName": "careful"}, "succeeded"),
        ("Add the missing entry", {}, "succeeded"),
    ],
)
def test_example_run_ends_as_documented(
    worker: Callable[..., WorkerProcess],
    settings: Settings,
    *,
    prompt: str,
    overrides: dict[str, object],
    status: str,
) -> None:
    without_pauses = 'env = {EXAMPLE_AGENT_PAUSE = "0"}\nagent ='
    packaged = PACKAGED_FILE.read_text()
    settings.PROFILES_FILE.write_text(re.sub("(?m)^agent =", without_pauses, packaged))
    call_command("load_examples")
    Run.objects.filter(imported=False).delete()
    work_order = WorkOrder.objects.get(prompt__startswith=prompt)
    api = Api("the-key")
    response = api.post(f"/work-orders/{work_order.pk}/runs", overrides)
    run_id = response.json()["error"]["details"]["runId"]
    worker(ISOLATION="auto")
    eventually(lambda: api.data(f"/runs/{run_id}")["completedAt"])
    assert api.data(f"/runs/{run_id}")["status"] == status
