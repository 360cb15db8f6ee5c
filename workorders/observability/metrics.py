"""What is counted, and the labels it is counted by.

Every label has a bounded set of values: a time series is kept for each combination, so
neither a path, nor an ID, nor a word of another server may become one.
"""

import re

from prometheus_client import CollectorRegistry, Counter, Histogram

from workorders.error_table import ERROR_TABLE, known_code

PREFIX = "run_dashboard_"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)
"""Seconds; 2 is what a trigger may take (N7.1)."""

COUNTED = CollectorRegistry()

HTTP_REQUESTS = Histogram(
    PREFIX + "http_request_duration_seconds",
    "Requests of pages, static files and the embedded API, to the beginning of the answer",
    ("view", "method", "status"),
    registry=COUNTED,
    buckets=BUCKETS,
)
REFRESHES = Counter(
    PREFIX + "refreshes_total",
    "Requests of open pages for what has changed since",
    ("view", "result"),
    registry=COUNTED,
)
API_CALLS = Histogram(
    PREFIX + "api_call_duration_seconds",
    "Calls to the runs API, to the end of the answer",
    ("method", "endpoint", "outcome"),
    registry=COUNTED,
    buckets=BUCKETS,
)
TRIGGERS = Counter(
    PREFIX + "triggers_total",
    "What attempts to start a run came to, each time they came to something",
    ("outcome", "code"),
    registry=COUNTED,
)

OK, NO_ANSWER = "ok", "no_answer"
"""Outcomes of a call, beside the codes of the error table (``RunsAPIError.known_code``)."""

_ID = re.compile(r"^(/(?:work-orders|runs|queue/position))/[^/]+")
ENDPOINTS = frozenset(
    {
        "/health",
        "/profiles",
        "/queue/health",
        "/queue/position/{id}",
        "/runs",
        "/runs/{id}",
        "/runs/{id}/cancel",
        "/runs/{id}/log",
        "/work-orders",
        "/work-orders/{id}",
        "/work-orders/{id}/runs",
    }
)


def endpoint(path: str) -> str:
    """``/runs/{id}`` of ``/runs/run-1``; ``other`` for what is not of the contract."""
    template = _ID.sub(r"\1/{id}", path, count=1)
    return template if template in ENDPOINTS else "other"


def attempt_moved(state: str, outcome: str) -> None:
    """Count a ``TriggerAttempt``'s change of state; ``outcome``: what it is left with, if told.

    It is told once whichever process made the change, and however often its form is sent.
    """
    match state, outcome:
        case "started", "started" | "queued":
            TRIGGERS.labels(outcome, "").inc()
        case "ready", "CHANGED":
            TRIGGERS.labels("changed", "").inc()
        case "ready", code:
            TRIGGERS.labels("refused", known_code(code, 0)).inc()
        case "unsettled", _:
            TRIGGERS.labels("checking", "").inc()
        case "unknown", _:
            TRIGGERS.labels("unknown", "").inc()


def _begin_at_zero() -> None:
    """A series that appears with its first event shows no increase, so no alert would see that."""
    for outcome in ("started", "queued", "changed", "checking", "unknown"):
        TRIGGERS.labels(outcome, "")
    for code in ERROR_TABLE:
        TRIGGERS.labels("refused", code)


_begin_at_zero()
