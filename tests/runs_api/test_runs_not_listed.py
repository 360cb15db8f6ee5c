"""A work order response that omits its runs does not mean that there are no runs."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.attempts import attempted
from tests.support.page_text import show
from tests.support.runs_api import Asked, Handler, RunsAPI
from tests.support.trigger_form import TriggerForm
from workorders.accounts.users import ensure_operator
from workorders.attempts.models import TriggerAttempt

OLD = {"id": "run-old", "status": "failed"}
"""A run without times, as some servers list runs."""
NEW = {"id": "run-new", "status": "queued"}
LEFT_OUT: dict[str, dict[str, Any]] = {
    "missing": {},
    "null": {"runs": None},
    "no list": {"runs": {}},
    "empty, and counted": {"runs": []},
}


@pytest.fixture(params=LEFT_OUT)
def left_out(request: pytest.FixtureRequest, runs_api: RunsAPI) -> dict[str, Any]:
    order = {"id": "wo-1", "taskPrompt": "Fix the login", "status": "failed", "runCount": 1}
    order |= LEFT_OUT[request.param]
    runs_api.on("GET", "/work-orders/wo-1", api.data(order))
    return order


@pytest.fixture(autouse=True)
def _no_patience(settings: Settings, runs_api: RunsAPI) -> None:
    settings.RUNS_API_SETTLE_SECONDS = 0


def list_after_lost_trigger(runs_api: RunsAPI, *runs: dict[str, Any]) -> None:
    """Lose the response to the trigger; from then on the work order lists these runs."""

    def lose(handler: Handler, asked: Asked) -> None:
        runs_api.has(runs=list(runs))
        api.reset(handler, asked)

    runs_api.triggers(lose)


@pytest.mark.usefixtures("left_out")
class TestStart:
    def test_old_run_is_not_taken_for_a_new_one(self, runs_api: RunsAPI, operator: Client) -> None:
        list_after_lost_trigger(runs_api, OLD)
        assert "We could not find out" in TriggerForm(operator, {}).send().html
        assert TriggerAttempt.objects.get().known_run_ids is None

    def test_omitted_runs_are_requested_separately(
        self, runs_api: RunsAPI, operator: Client
    ) -> None:
        runs_api.on("GET", "/runs", api.items(OLD))
        list_after_lost_trigger(runs_api, NEW, OLD)
        assert TriggerForm(operator, {}).send().location == "/runs/run-new/"
        assert {"workOrderId": "wo-1"}.items() <= runs_api.asked[1].query.items()

    def test_runs_omitted_again_are_requested_again(
        self, runs_api: RunsAPI, operator: Client
    ) -> None:
        def lose(handler: Handler, asked: Asked) -> None:
            runs_api.on("GET", "/runs", api.items(NEW, OLD))
            api.reset(handler, asked)

        runs_api.on("GET", "/runs", api.items(OLD))
        runs_api.triggers(lose)
        assert TriggerForm(operator, {}).send().location == "/runs/run-new/"

    @pytest.mark.parametrize("total", [200, None])
    def test_incomplete_list_of_runs_is_not_trusted(
        self, runs_api: RunsAPI, operator: Client, total: int | None
    ) -> None:
        runs_api.on("GET", "/runs", api.data({"items": [OLD], "total": total}))
        list_after_lost_trigger(runs_api, {"id": "run-older", "status": "failed"}, OLD)
        assert "We could not find out" in TriggerForm(operator, {}).send().html

    def test_page_of_an_accepted_run_does_not_take_an_old_one(
        self, runs_api: RunsAPI, operator: Client
    ) -> None:
        attempted(ensure_operator(), run_id="run-provisional", known_run_ids=None)
        runs_api.has(runs=[OLD])
        assert "waiting for it to appear" in show(operator, "/runs/run-provisional/")


def test_runs_of_other_work_orders_are_filtered_out(runs_api: RunsAPI, operator: Client) -> None:
    """The server ignores the filter by work order."""
    order = {"id": "wo-1", "taskPrompt": "Fix the login", "status": "failed", "runCount": 1}
    runs_api.on("GET", "/work-orders/wo-1", api.data(order))
    other = {"id": "run-other", "workOrderId": "wo-2", "status": "running"}
    runs_api.on("GET", "/runs", api.items(other, OLD | {"workOrderId": "wo-1"}))
    html = show(operator, "/work-orders/wo-1/")
    assert "run-old" in html
    assert "run-other" not in html


@pytest.mark.usefixtures("left_out")
class TestPage:
    def test_page_shows_the_separately_requested_runs(
        self, runs_api: RunsAPI, operator: Client
    ) -> None:
        runs_api.on("GET", "/runs", api.items(OLD))
        html = show(operator, "/work-orders/wo-1/")
        assert "run-old" in html
        assert "Runs (1)" in html

    def test_page_does_not_claim_that_there_are_no_runs(self, operator: Client) -> None:
        html = show(operator, "/work-orders/wo-1/")
        assert "These runs could not be loaded." in html
        assert "No runs yet." not in html
