"""One line for each call to the runs API."""

import logging
from collections.abc import Mapping

from workorders.errors import RunsAPIError
from workorders.observability.measured_call import MeasuredCall
from workorders.observability.metrics import NO_ANSWER, OK
from workorders.runs_api.envelope import Answer

logger = logging.getLogger(__name__)

ABOUT = {"runId": "run_id", "workOrderId": "work_order_id"}
"""What an answer may be about, by the contract's name and by the log's."""


class LoggedCall:
    """A call under way; exactly one of the methods is called when it is over, which counts it.

    Args:
        path: below ``/api/v1``; queries are not logged.
        about: further fields of the line, such as the idempotency key.
    """

    def __init__(self, method: str, path: str, about: Mapping[str, str]) -> None:
        self._method = method
        self._path = path
        self._about = about
        self._measured = MeasuredCall(method, path)
        self._level = logging.DEBUG if method == "GET" else logging.INFO

    def answered(self, status: int, answer: Answer) -> None:
        data, request_id = answer
        about = {log: data[wire] for wire, log in ABOUT.items() if isinstance(data.get(wire), str)}
        self._log(self._level, OK, "", status=status, api_request_id=request_id, **about)

    def refused(self, error: RunsAPIError, *, known: bool) -> None:
        """``known``: what is wrong with the server was said once, by its health record."""
        # Refusals are daily business; what nobody can act on is worth a warning.
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
        level = self._level if known else logging.WARNING
        self._log(level, NO_ANSWER, reason, status=0)

    def _log(self, level: int, outcome: str, words: str, **fields: str | int) -> None:
        milliseconds = round(self._measured.ends(outcome) * 1000)
        call = {"method": self._method, "path": self._path, "milliseconds": milliseconds}
        logger.log(
            level,
            "%s %s: %s in %d ms%s",
            self._method,
            self._path,
            fields["status"] or "no answer",
            milliseconds,
            f": {words}" if words else "",
            extra={**self._about, **call, **fields},
        )
