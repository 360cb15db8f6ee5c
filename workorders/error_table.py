"""How the dashboard handles each error code of the runs API.

``ERROR_TABLE`` is the specification's error table plus the codes that the specification leaves
open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    """What the trigger dialog does when a start is refused (specification, Error Handling)."""

    KEEP_OPEN = "keep the dialog open and show the message in it"
    FIELD_ERROR = "keep the dialog open and show the message at the field"
    CLOSE_DIALOG = "close the dialog, show the message as a toast on the work order's page"
    GO_TO_LIST = "close the dialog, show the message as a toast on the list"
    RECHECK_WORK_ORDER = "read the work order again to tell which case it is"


@dataclass(frozen=True, slots=True)
class ErrorHandling:
    """How the dashboard handles one error code."""

    message: str
    """The sentence that operators read."""
    action: Action
    retryable: bool = False
    """Whether sending the request again may help."""


ERROR_TABLE: Mapping[str, ErrorHandling] = {
    # The specification's table, word for word. After CAPACITY_EXCEEDED a run exists, so only the
    # message of that row is ever used.
    "RUN_ALREADY_ACTIVE": ErrorHandling(
        "A run is already in progress for this work order", Action.CLOSE_DIALOG
    ),
    "WORK_ORDER_COMPLETE": ErrorHandling(
        "This work order has already succeeded", Action.CLOSE_DIALOG
    ),
    "CAPACITY_EXCEEDED": ErrorHandling(
        "Server at capacity. Your run has been queued.", Action.KEEP_OPEN
    ),
    "NETWORK_ERROR": ErrorHandling(
        "Could not connect to server. Please try again.", Action.KEEP_OPEN, retryable=True
    ),
    "UNKNOWN": ErrorHandling("An unexpected error occurred", Action.KEEP_OPEN, retryable=True),
    # Codes that the specification leaves open.
    "WORK_ORDER_CANCELLED": ErrorHandling("This work order was cancelled", Action.CLOSE_DIALOG),
    "STATUS_UNKNOWN": ErrorHandling(
        "This dashboard does not know the status of this work order, so it starts nothing",
        Action.KEEP_OPEN,
    ),
    "CONFLICT": ErrorHandling("The runs API refused to start a run now", Action.RECHECK_WORK_ORDER),
    "UNAUTHORIZED": ErrorHandling(
        "The runs API does not accept this dashboard's key. "
        "Ask the person who runs the dashboard to check RUNS_API_KEY.",
        Action.KEEP_OPEN,
    ),
    "FORBIDDEN": ErrorHandling(
        "This dashboard's key may not start runs. "
        "Ask the person who runs the runs API to allow it.",
        Action.KEEP_OPEN,
    ),
    "NOT_FOUND": ErrorHandling("This work order no longer exists", Action.GO_TO_LIST),
    "VALIDATION_ERROR": ErrorHandling(
        "The runs API did not accept these options", Action.FIELD_ERROR
    ),
    "BAD_REQUEST": ErrorHandling("The runs API did not accept these options", Action.FIELD_ERROR),
    "IDEMPOTENCY_KEY_REUSED": ErrorHandling(
        "This dialog was already used to start a run. Close it and open it again.",
        Action.KEEP_OPEN,
    ),
    "TRIGGER_IN_PROGRESS": ErrorHandling(
        "Another start of this work order is under way. Try again in a moment.",
        Action.KEEP_OPEN,
        retryable=True,
    ),
    "WITHDRAWN": ErrorHandling("This dialog was closed before the start arrived", Action.KEEP_OPEN),
    "NOT_STARTED": ErrorHandling("The run was not started.", Action.KEEP_OPEN, retryable=True),
    "RATE_LIMITED": ErrorHandling(
        "Too many requests. Try again in a moment.", Action.KEEP_OPEN, retryable=True
    ),
    "SERVER_BUSY": ErrorHandling(
        "The runs API is busy or cannot use its database. Try again in a moment.",
        Action.KEEP_OPEN,
        retryable=True,
    ),
    "SERVER_ERROR": ErrorHandling("The runs API failed", Action.CLOSE_DIALOG, retryable=True),
}

CODE_OF_STATUS: Mapping[int, str] = {  # for error responses without a code
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
}


def handling_for(code: str, status: int) -> ErrorHandling:
    """Return the row of ``ERROR_TABLE`` for an error response; see ``known_code``."""
    return ERROR_TABLE[known_code(code, status)]


def known_code(code: str, status: int) -> str:
    """Return the key of ``ERROR_TABLE`` for an error response.

    Any status from 500 on gives SERVER_ERROR, with two exceptions. CAPACITY_EXCEEDED stands,
    because the run is queued and a full server may say so with 503. SERVER_BUSY stands if its
    status is 503. A code that is not in the table gives UNKNOWN.

    Args:
        code: the response's error code; may be empty.
        status: the HTTP status; 0 when there was no response.
    """
    if status >= 500 and code != "CAPACITY_EXCEEDED" and (status, code) != (503, "SERVER_BUSY"):
        return "SERVER_ERROR"
    return code if code in ERROR_TABLE else "UNKNOWN"
