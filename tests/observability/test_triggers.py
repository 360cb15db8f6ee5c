"""The metric of trigger attempts: each outcome is counted once, however often the form is sent."""

import pytest
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.runs_api import RunsAPI
from tests.support.scraped import Meter, scrape
from tests.support.trigger_form import TriggerForm
from workorders.error_table import ERROR_TABLE

NEW_RUN = {"id": "run-2", "runNumber": 2, "status": "queued"}
STARTED = api.data({"runId": "run-2", "runNumber": 2, "status": "queued"}, 201)


@pytest.fixture(autouse=True)
def _failed_work_order(runs_api: RunsAPI) -> None:
    runs_api.has()


def counted(meter: Meter) -> list[dict[str, str]]:
    return meter.new_labels("triggers_total")


@pytest.mark.parametrize(
    ("reply", "labels"),
    [
        (STARTED, {"outcome": "started"}),
        (
            api.refusal(202, "CAPACITY_EXCEEDED", details={"runId": "run-2"}),
            {"outcome": "queued"},
        ),
        (api.refusal(429, "RATE_LIMITED"), {"outcome": "refused", "code": "RATE_LIMITED"}),
        (api.refusal(400, "ITS_OWN_WORD"), {"outcome": "refused", "code": "UNKNOWN"}),
        (api.reset, {"outcome": "checking"}),
    ],
)
def test_attempt_is_counted_by_its_outcome(
    runs_api: RunsAPI, form: TriggerForm, meter: Meter, reply: api.Reply, labels: dict[str, str]
) -> None:
    runs_api.triggers(reply)
    form.send()
    assert counted(meter) == [labels]


def test_changed_work_order_is_counted(form: TriggerForm, meter: Meter) -> None:
    form.send(seen="failed/failed/run-0")
    assert counted(meter) == [{"outcome": "changed"}]


def test_refusal_by_the_status_of_the_work_order_is_counted(
    runs_api: RunsAPI, form: TriggerForm, meter: Meter
) -> None:
    runs_api.has(status="succeeded")
    form.send()
    assert counted(meter) == [{"outcome": "refused", "code": "WORK_ORDER_COMPLETE"}]


def test_form_sent_twice_is_counted_once(
    runs_api: RunsAPI, form: TriggerForm, meter: Meter
) -> None:
    runs_api.triggers(STARTED)
    form.send()
    form.send()
    assert meter.gained("triggers_total") == 1


def test_outcome_of_a_lost_response_is_counted_once_known(
    runs_api: RunsAPI, form: TriggerForm, meter: Meter
) -> None:
    runs_api.triggers(api.reset)
    form.send()
    form.send()
    runs_api.has(status="queued", runs=[NEW_RUN])
    form.send()
    form.send()
    assert meter.gained("triggers_total", outcome="checking") == 1
    assert meter.gained("triggers_total", outcome="started") == 1
    assert meter.gained("triggers_total") == 2


def test_unknown_outcome_is_counted(
    runs_api: RunsAPI, form: TriggerForm, meter: Meter, settings: Settings
) -> None:
    settings.RUNS_API_SETTLE_SECONDS = 0
    runs_api.triggers(api.reset)
    form.send()
    form.send()
    assert meter.gained("triggers_total", outcome="unknown") == 1
    assert meter.gained("triggers_total") == 2  # the lost response was counted before


def test_run_found_after_an_unknown_outcome_is_counted(
    runs_api: RunsAPI, form: TriggerForm, meter: Meter, settings: Settings
) -> None:
    settings.RUNS_API_SETTLE_SECONDS = 0
    runs_api.triggers(api.reset)
    form.send()
    form.send()
    runs_api.has(status="queued", runs=[NEW_RUN])
    form.send()
    assert meter.gained("triggers_total", outcome="started") == 1


def test_series_exist_before_their_first_event() -> None:
    """An alert on the increase of a series would otherwise miss its first event."""
    scraped = scrape()
    for outcome in ("started", "queued", "changed", "checking", "unknown"):
        assert scraped.value("triggers_total", outcome=outcome, code="") is not None
    for code in ERROR_TABLE:
        assert scraped.value("triggers_total", outcome="refused", code=code) is not None
