"""Who started a run that no operator has started here: a script, by the name of its API key."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support.attempts import attempted
from tests.support.page_text import show, text_of
from tests.support.runs_api import RunsAPI
from workorders.attempts.models import TriggerAttempt

RunSource = TriggerAttempt.RunSource

BY_SCRIPT = {
    "id": "run-1",
    "runNumber": 1,
    "status": "running",
    "startedAt": "2026-01-02T10:00:00.000Z",
    "triggeredBy": "nightly-<b>build</b>",
}
SHOWN = "the API key <bdi>nightly-&lt;b&gt;build&lt;/b&gt;</bdi>"


@pytest.fixture(autouse=True)
def _api(runs_api: RunsAPI) -> None:
    runs_api.has(runs=[BY_SCRIPT])
    runs_api.has_run(**BY_SCRIPT)


def test_the_run_page_says_it(operator: Client) -> None:
    assert f"Triggered by {SHOWN}" in operator.get("/runs/run-1/").content.decode()


def test_the_list_of_runs_and_the_button_say_it(operator: Client) -> None:
    page = operator.get("/work-orders/wo-1/").content.decode()
    assert f"by {SHOWN}" in page
    assert f"started by {SHOWN}" in page


@pytest.mark.parametrize(
    "named",
    [
        {"run_id": "run-2", "provisional_run_id": "run-1", "run_source": RunSource.RECONCILED},
        {"run_id": "run-1", "known_run_ids": None},
    ],
    ids=["turned out to be another's", "perhaps an older one"],
)
def test_run_that_an_answer_has_only_named_was_started_by_nobody_here(
    operator: Client, operator_user: User, named: dict[str, Any]
) -> None:
    attempted(operator_user, **named)
    page = text_of(show(operator, "/work-orders/wo-1/trigger/"))
    assert "Run #1 was started by" in page
    assert "started by you" not in page
