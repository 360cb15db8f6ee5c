"""Parsing of the runs API's JSON: complete, incomplete and wrong values."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.thorough import THOROUGH
from workorders.availability import BlockedReason, trigger_availability
from workorders.runs_api.schemas import (
    LogPart,
    Page,
    Profile,
    QueueHealth,
    Run,
    RunOverrides,
    RunReference,
    TriggeredRun,
    WorkOrder,
    parse,
    queue_position_of,
)

# --- Fields that are missing, null, wrong or unknown


def test_work_order_with_only_an_id_has_defaults() -> None:
    work_order = parse(WorkOrder, {"id": "wo-1"})
    assert (work_order.id, work_order.status, work_order.prompt) == ("wo-1", "unknown", "")
    assert (work_order.created_at, work_order.run_count, work_order.runs) == (None, None, ())


def test_null_fields_are_parsed_like_missing_fields() -> None:
    names = ("taskPrompt", "status", "workspaceSource", "runs", "harness", "createdAt", "runCount")
    nulls = parse(WorkOrder, {"id": "wo-1"} | dict.fromkeys(names))
    assert nulls == parse(WorkOrder, {"id": "wo-1"})


def test_fields_of_wrong_types_are_parsed_like_missing_fields() -> None:
    names = ("status", "runNumber", "startedAt", "iterations", "error", "logSize", "waitingFor")
    assert parse(Run, {"id": "r"} | {name: [] for name in names}) == parse(Run, {"id": "r"})


def test_extra_fields_are_ignored() -> None:
    assert parse(Run, {"id": "r", "mood": "good"}) == parse(Run, {"id": "r"})


def test_numeric_id_becomes_text() -> None:
    assert parse(Run, {"id": 17}).id == "17"


@pytest.mark.parametrize("identifier", [None, "", [], {}, True, 1.5])
def test_missing_id_is_refused(identifier: Any) -> None:
    with pytest.raises(ValueError, match="has no id"):
        parse(Run, {"id": identifier})


def test_boolean_is_not_a_number() -> None:
    assert parse(Run, {"id": "r", "runNumber": True, "logSize": False}).log_size is None


@pytest.mark.parametrize("number", [0, -1, 2**31, 10**30])
def test_run_number_out_of_range_is_ignored(number: int) -> None:
    assert parse(Run, {"id": "r", "runNumber": number}).label == "Run r"


def test_time_limit_out_of_range_is_ignored() -> None:
    assert parse(WorkOrder, {"id": "wo-1", "maxTime": 10**20}).max_time is None


@pytest.mark.parametrize("value", [{"runId": 5}, {"runId": "5", "runNumber": "x"}])
def test_reference_to_a_run_is_parsed(value: Any) -> None:
    assert RunReference.parse(value) == RunReference("5", None)


@pytest.mark.parametrize("value", [{}, {"runId": None}, {"runId": {}}, {"runId": ""}])
def test_reference_without_a_run_id_is_ignored(value: Any) -> None:
    assert RunReference.parse(value) is None


@pytest.mark.parametrize("position", [None, 0, -1, True, "2", 1.5])
def test_malformed_queue_position_is_ignored(position: Any) -> None:
    assert queue_position_of({"queuePosition": position}) is None


@pytest.mark.parametrize("missing", [{}, {"profileName": None, "maxIterations": "many"}])
def test_harness_replaces_missing_fields(missing: dict[str, Any]) -> None:
    harness = {"profile": "careful", "loopStrategy": {"maxIterations": 8}}
    work_order = parse(WorkOrder, {"id": "wo-1", "harness": harness} | missing)
    assert (work_order.profile_name, work_order.max_iterations) == ("careful", 8)


@pytest.mark.parametrize("missing", [{}, {"maxIterations": True}])
def test_loop_strategy_of_a_profile_replaces_a_missing_maximum(missing: dict[str, Any]) -> None:
    loop = {"name": "careful", "loopStrategy": {"maxIterations": 8}}
    assert parse(Profile, loop | missing).max_iterations == 8
    assert parse(Profile, loop | {"maxIterations": 0}).max_iterations == 0


# --- Statuses


@pytest.mark.parametrize("spelling", ["cancelled", "canceled"])
def test_both_spellings_of_cancelled_are_accepted(spelling: str) -> None:
    assert parse(WorkOrder, {"id": "wo-1", "status": spelling}).status == "cancelled"
    assert parse(Run, {"id": "r", "status": spelling}).is_final


@pytest.mark.parametrize("status", ["running", "building", "hibernating", "", None])
def test_run_is_active_unless_queued_or_final(status: Any) -> None:
    assert parse(Run, {"id": "r", "status": status}).is_active


@pytest.mark.parametrize("status", ["queued", "succeeded", "failed", "canceled"])
def test_queued_or_final_run_is_not_active(status: str) -> None:
    assert not parse(Run, {"id": "r", "status": status}).is_active


def test_unknown_run_status_blocks_a_new_run() -> None:
    run = {"id": "r", "status": "hibernating"}
    availability = trigger_availability(
        parse(WorkOrder, {"id": "wo-1", "status": "failed", "runs": [run]})
    )
    assert availability.blocked_reason is BlockedReason.ACTIVE
    assert availability.active_run
    assert availability.active_run.status == "hibernating"


# --- Times


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T10:00:00Z",
        "2026-01-02T10:00:00",
        "2026-01-02T10:00:00.000+00:00",
        "2026-01-02T12:00:00+02:00",
    ],
)
def test_times_are_utc(text: str) -> None:
    run = parse(Run, {"id": "r", "startedAt": text})
    assert run.started_at == datetime(2026, 1, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "", 1767348000, "0001-01-01T00:00:00+23:59"])
def test_malformed_times_are_ignored(text: Any) -> None:
    assert parse(Run, {"id": "r", "startedAt": text}).started_at is None


# --- The order and the numbers of runs


FIRST = {"id": "a", "startedAt": "2026-01-02T10:00:00Z"}
SECOND = {"id": "b", "startedAt": "2026-01-02T11:00:00Z"}


def order_of(*runs: dict[str, Any], count: int | None) -> list[tuple[str, int | None]]:
    parsed = parse(WorkOrder, {"id": "wo-1", "runs": list(runs), "runCount": count})
    return [(run.id, run.number) for run in parsed.runs]


def test_runs_are_numbered_when_all_are_listed() -> None:
    assert order_of(FIRST, SECOND, count=2) == [("b", 2), ("a", 1)]


@pytest.mark.parametrize("count", [None, 1, 3])
def test_runs_are_not_numbered_when_some_may_be_missing(count: int | None) -> None:
    assert order_of(FIRST, SECOND, count=count) == [("b", None), ("a", None)]


def test_runs_are_not_numbered_without_their_times() -> None:
    assert order_of({"id": "a"}, SECOND, count=2) == [("a", None), ("b", None)]


def test_runs_are_not_numbered_beside_a_numbered_run() -> None:
    assert order_of(FIRST | {"runNumber": 1}, SECOND, count=2) == [("b", None), ("a", 1)]


def test_numbered_runs_are_sorted_by_number() -> None:
    runs = (FIRST | {"runNumber": 2}, SECOND | {"runNumber": 1})
    assert order_of(*runs, count=2) == [("a", 2), ("b", 1)]


def test_runs_belong_to_the_work_order_that_lists_them() -> None:
    work_order = parse(WorkOrder, {"id": "wo-1", "runs": [{"id": "a"}]})
    assert work_order.runs[0].work_order_id == "wo-1"


@pytest.mark.parametrize(
    ("runs", "count", "expected"),
    [
        ([], 0, 1),
        ([FIRST], 1, 2),
        ([FIRST | {"runNumber": 4}], 4, 5),
        ([], None, None),
        ([], 3, None),
        ([FIRST], None, None),
        ([FIRST | {"runNumber": 2}], 4, None),
    ],
)
def test_next_run_number_is_known_only_when_certain(
    runs: list[Any], count: int | None, expected: int | None
) -> None:
    work_order = parse(WorkOrder, {"id": "wo-1", "runs": runs, "runCount": count})
    assert work_order.next_run_number == expected


# --- Pages


def page(**data: Any) -> Page[Run]:
    return parse(Page[Run], {"items": [{"id": "a"}, {"id": "b"}]} | data, limit=2)


@pytest.mark.parametrize(
    ("data", "more"),
    [
        ({"total": 5, "hasMore": False}, True),
        ({"total": 2, "hasMore": True}, False),
        ({"total": 4, "offset": 2, "hasMore": True}, False),
        ({"hasMore": True}, True),
        ({"hasMore": "yes"}, False),
        ({}, False),
        ({"items": [], "total": 5, "hasMore": True}, False),
    ],
)
def test_has_more_is_computed_from_the_totals(data: dict[str, Any], more: bool) -> None:  # noqa: FBT001
    assert page(**data).has_more is more


def test_page_without_items_is_empty() -> None:
    assert parse(Page[Run], {}) == Page((), None, 0, 0, has_more=False)


# --- Overrides


def test_overrides_survive_a_round_trip() -> None:
    overrides = RunOverrides(max_iterations=5, profile_name="careful")
    assert RunOverrides.parse(overrides.body() or {}) == overrides


def test_no_overrides_have_no_body() -> None:
    assert RunOverrides().body() is None


# --- Arbitrary JSON

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**60)
    | st.floats()
    | st.text()
    | st.datetimes().map(lambda timestamp: timestamp.isoformat())
    | st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "canceled"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = """
    id name runId runNumber status taskPrompt workspaceSource path repo branch runs runCount
    harness loopStrategy profile profileName maxIterations maxTime createdAt updatedAt queuedAt
    startedAt completedAt iterations iterationCount verification passed exitCode output number
    overrides profileOverrides queuePosition waitingFor error logSize imported items total limit
    offset hasMore stats waiting running maxConcurrent text nextOffset size complete
    isolation isolated notIsolated reasons triggeredBy workOrderId url agentExitCode description
""".split()  # noqa: SIM905  # a line for each would be a page
OBJECT = st.dictionaries(st.sampled_from(NAMES), JSON)
NESTED = st.dictionaries(
    st.sampled_from(NAMES), JSON | OBJECT | st.lists(OBJECT.map(lambda o: {"id": "x"} | o))
)

PARSERS: dict[str, Callable[[Any], object]] = {
    "work order": partial(parse, WorkOrder),
    "run": partial(parse, Run),
    "triggered run": partial(parse, TriggeredRun),
    "profile": partial(parse, Profile),
    "queue": partial(parse, QueueHealth),
    "log": partial(parse, LogPart),
    "overrides": RunOverrides.parse,
    "reference": RunReference.parse,
    "page of work orders": partial(parse, Page[WorkOrder]),
    "page of runs": partial(parse, Page[Run]),
}


@pytest.mark.parametrize("name", PARSERS)
@given(value=NESTED)
@settings(
    max_examples=600 if THOROUGH else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
def test_any_object_gives_a_value_or_a_value_error(name: str, value: dict[str, Any]) -> None:
    try:
        parsed = PARSERS[name]({"id": "x", "name": "x", "runId": "x"} | value)
    except ValueError as exc:
        reason = str(exc)
    else:
        assert parsed == parsed  # a value that compares  # noqa: PLR0124
        if isinstance(parsed, WorkOrder):
            assert trigger_availability(parsed).enabled in {True, False}
            assert parsed.next_run_number != 0
        return
    assert reason in {f"the answer has no {key}" for key in ("id", "name", "runId")}
