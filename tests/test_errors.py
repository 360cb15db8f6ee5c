"""The error table is complete: each code has a message, and each action is carried out."""

import pytest
from django.test import Client

from tests.support import runs_api as api
from tests.support.runs_api import RunsAPI
from tests.support.trigger_form import HTMX, TriggerForm
from workorders.availability import BlockedReason
from workorders.error_table import CODE_OF_STATUS, ERROR_TABLE, Action, handling_for
from workorders.errors import InvalidResponse, RunsAPIError

SPECIFIED = {
    "RUN_ALREADY_ACTIVE": "A run is already in progress for this work order",
    "WORK_ORDER_COMPLETE": "This work order has already succeeded",
    "CAPACITY_EXCEEDED": "Server at capacity. Your run has been queued.",
    "NETWORK_ERROR": "Could not connect to server. Please try again.",
    "UNKNOWN": "An unexpected error occurred",
}
RETRYABLE = {
    *("NETWORK_ERROR", "UNKNOWN", "RATE_LIMITED", "SERVER_ERROR"),
    *("NOT_STARTED", "TRIGGER_IN_PROGRESS", "SERVER_BUSY"),
}


@pytest.mark.parametrize("code", SPECIFIED)
def test_messages_are_those_of_the_specification(code: str) -> None:
    assert RunsAPIError(code=code).user_message == SPECIFIED[code]


@pytest.mark.parametrize("code", ERROR_TABLE)
def test_every_code_has_its_own_message(code: str) -> None:
    message = ERROR_TABLE[code].message
    assert message.strip()
    alike = [other for other in ERROR_TABLE if ERROR_TABLE[other].message == message]
    assert alike == [code] or set(alike) == {"VALIDATION_ERROR", "BAD_REQUEST"}


@pytest.mark.parametrize("code", ERROR_TABLE)
def test_only_retryable_errors_offer_a_retry(code: str) -> None:
    assert ERROR_TABLE[code].retryable is (code in RETRYABLE)


def test_every_action_is_used() -> None:
    assert {rule.action for rule in ERROR_TABLE.values()} == set(Action)


@pytest.mark.parametrize("code", ["", "TEAPOT", "run_already_active"])
def test_unknown_code_is_handled_as_unknown(code: str) -> None:
    assert handling_for(code, 400) is ERROR_TABLE["UNKNOWN"]


@pytest.mark.parametrize("code", sorted({*ERROR_TABLE, "TEAPOT"} - {"CAPACITY_EXCEEDED"}))
def test_status_of_a_server_error_precedes_the_code(code: str) -> None:
    assert handling_for(code, 500) is handling_for(code, 599) is ERROR_TABLE["SERVER_ERROR"]


@pytest.mark.parametrize("code", ["CAPACITY_EXCEEDED", "SERVER_BUSY"])
def test_capacity_error_is_not_a_server_error(code: str) -> None:
    assert handling_for(code, 503) is ERROR_TABLE[code]


def test_outcome_of_a_busy_server_is_unknown_unless_it_denies_a_start() -> None:
    assert RunsAPIError(code="SERVER_BUSY", status=503).outcome_unknown
    certain = RunsAPIError(code="SERVER_BUSY", status=503, details={"started": False})
    assert not certain.outcome_unknown
    assert InvalidResponse(
        code="SERVER_BUSY", status=503, details={"started": False}
    ).outcome_unknown


def test_every_code_of_a_status_is_in_the_table() -> None:
    assert set(CODE_OF_STATUS.values()) <= set(ERROR_TABLE)


def test_every_blocked_reason_is_in_the_table() -> None:
    assert {blocked_reason.value for blocked_reason in BlockedReason} <= set(ERROR_TABLE)


LOCATIONS = {
    Action.KEEP_OPEN: "",
    Action.FIELD_ERROR: "",
    Action.RECHECK_WORK_ORDER: "",
    Action.CLOSE_DIALOG: "/work-orders/wo-1/",
    Action.GO_TO_LIST: "/work-orders/",
}


@pytest.mark.parametrize("code", sorted({*ERROR_TABLE} - {"NETWORK_ERROR", "SERVER_ERROR"}))
def test_every_action_is_carried_out(runs_api: RunsAPI, operator: Client, code: str) -> None:
    runs_api.has()
    runs_api.triggers(api.refusal(400, code))
    sent = TriggerForm(operator, HTMX).send()
    assert sent.location == LOCATIONS[ERROR_TABLE[code].action]
    assert ERROR_TABLE[code].message in (sent.html or sent.next_page).replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("parts", "reference"),
    [
        ({}, "UNKNOWN"),
        ({"code": "TEAPOT"}, "TEAPOT"),
        ({"code": "TEAPOT", "request_id": "r-1"}, "TEAPOT · request r-1"),
    ],
)
def test_reference_has_code_and_request_id(parts: dict[str, str], reference: str) -> None:
    assert RunsAPIError(**parts).reference == reference  # type: ignore[arg-type]


def test_first_error_of_each_field_is_kept() -> None:
    errors = [
        {"path": ["profileName"], "message": "first"},
        {"path": ["profileName"], "message": "second"},
        {"path": [], "message": "of the whole"},
    ]
    found = RunsAPIError(details={"errors": errors}).field_errors
    assert found == {"profile_name": "first", "": "of the whole"}
