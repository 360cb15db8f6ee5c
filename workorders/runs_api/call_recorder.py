"""Writes one log line, and counts one metric, for each call to the runs API."""

import logging
import time
from collections.abc import Mapping

from workorders.errors import RunsAPIError
from workorders.observability import server_timing
from workorders.observability.metrics import API_CALLS, NO_RESPONSE, OK, endpoint
from workorders.runs_api.envelope import Envelope

logger = logging.getLogger(__name__)

LOGGED_FIELDS = {"runId": "run_id", "workOrderId": "work_order_id"}
"""The fields of a response that are logged: the name in JSON, and the name in the log."""


class LoggedCall:
    """A call that has begun. Its duration is added to the metrics and to the page's timing.

    When the call is over, the caller calls exactly one of ``answered``, ``refused`` and
    ``unanswered``. That method writes the log line and counts the call.

    Args:
        method: the HTTP method.
        path: the path below ``/api/v1``, without the query, which is not logged.
        about: further fields of the log line, such as the idempotency key.
    """

    def __init__(self, method: str, path: str, about: Mapping[str, str]) -> None:
        self._method = method
        self._path = path
        self._about = about
        self._level = logging.DEBUG if method == "GET" else logging.INFO
        self._timing = server_timing.current()
        if self._timing:
            self._timing.call_begins(self)
        self._started = time.perf_counter()

    def answered(self, status: int, envelope: Envelope) -> None:
        """Record a successful response."""
        data, request_id = envelope
        about = {
            log_name: data[name]
            for name, log_name in LOGGED_FIELDS.items()
            if isinstance(data.get(name), str)
        }
        self._log(self._level, OK, "", status=status, api_request_id=request_id, **about)

    def refused(self, error: RunsAPIError, *, known: bool) -> None:
        """Record a response that is an error.

        Args:
            error: the error that the response means.
            known: whether the health record has already logged what is wrong with the server.
                The line then has the level of a successful call.
        """
        # Refusals are normal. Failures that no operator can act on are worth a warning.
        failed = error.status >= 500 or error.code == "UNKNOWN"
        level = logging.WARNING if failed else logging.INFO
        self._log(
            self._level if known else level,
            error.known_code,
            error.reference,
            status=error.status,
            api_request_id=error.request_id,
            code=error.code,
        )

    def unanswered(self, reason: str, *, known: bool) -> None:
        """Record that no response came.

        Args:
            reason: a sentence that says why.
            known: see ``refused``.
        """
        level = self._level if known else logging.WARNING
        self._log(level, NO_RESPONSE, reason, status=0)

    def _log(self, level: int, outcome: str, detail: str, **fields: str | int) -> None:
        seconds = time.perf_counter() - self._started
        API_CALLS.labels(self._method, endpoint(self._path), outcome).observe(seconds)
        if self._timing:
            self._timing.call_ends(self, seconds)
        milliseconds = round(seconds * 1000)
        call = {"method": self._method, "path": self._path, "milliseconds": milliseconds}
        logger.log(
            level,
            "%s %s: %s in %d ms%s",
            self._method,
            self._path,
            fields["status"] or "no answer",
            milliseconds,
            f": {detail}" if detail else "",
            extra={**self._about, **call, **fields},
        )
