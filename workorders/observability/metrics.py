"""The Prometheus metrics of the dashboard, and their labels.

Prometheus keeps a time series for each combination of label values, so every label has a
bounded set of values: no paths, no IDs, and no text from another server.
"""

import re

from prometheus_client import CollectorRegistry, Counter, Histogram

from workorders.error_table import ERROR_TABLE, known_code

PREFIX = "run_dashboard_"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)
"""Upper bounds of the histograms' buckets, in seconds. A trigger may take 2 (spec N7.1)."""

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

OK, NO_RESPONSE = "ok", "no_answer"
"""Values of ``API_CALLS``'s label ``outcome``; the others are ``RunsAPIError.known_code``."""

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
    """Return the template of a path below ``/api/v1``, which is safe to use as a label.

    The template of ``/runs/run-1`` is ``/runs/{id}``. Paths that are not in ``ENDPOINTS``
    give ``other``.
    """
    template = _ID.sub(r"\1/{id}", path, count=1)
    return template if template in ENDPOINTS else "other"


def attempt_moved(state: str, outcome: str) -> None:
    """Count one transition of a ``TriggerAttempt``.

    The caller calls this function once per transition: by the process that made the
    transition, however often the form was sent.

    Args:
        state: the value of the new ``TriggerAttempt.State``.
        outcome: the value that ``TriggerAttempt.outcome`` has afterwards, an error code for a
            refusal; empty where the transition sets none.
    """
    match state, outcome:
        case "started", "started" | "queued":
            TRIGGERS.labels(outcome, "").inc()
        case "pending", "CHANGED":
            TRIGGERS.labels("changed", "").inc()
        case "pending", code:
            TRIGGERS.labels("refused", known_code(code, 0)).inc()
        case "unconfirmed", _:
            TRIGGERS.labels("checking", "").inc()
        case "unresolved", _:
            TRIGGERS.labels("unknown", "").inc()


def _begin_at_zero() -> None:
    """Create every series of ``TRIGGERS`` with the value 0.

    Otherwise a series would first appear with the value 1. Prometheus sees no increase in
    that, so no alert would notice the first event.
    """
    for outcome in ("started", "queued", "changed", "checking", "unknown"):
        TRIGGERS.labels(outcome, "")
    for code in ERROR_TABLE:
        TRIGGERS.labels("refused", code)


_begin_at_zero()
