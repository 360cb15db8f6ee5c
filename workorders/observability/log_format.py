"""Formats log lines as text for people, or as JSON for log collectors.

Both formats contain the ID of the request, and in both secrets are redacted.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import override

from workorders.observability import request_id
from workorders.observability.redaction import without_secrets
from workorders.processes.database_outage import is_outage

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request_id"}
"""The attributes of every log record. Any other attribute was passed as ``extra``."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ExceptionsOnly(logging.Filter):
    """Passes only the exceptions of failed requests, which have a status of 500 or above.

    Pages that are refused (403, 404) raise exceptions too, but on purpose.
    """

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info is None or getattr(record, "status_code", 500) < 500:
            return False
        # workorders.processes.database_outage reports a database outage once.
        return not is_outage(record.exc_info[1])


class TextFormatter(logging.Formatter):
    """Writes ``time level logger [request ID]: message``, and below it the traceback, if any."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} [{request_id}]: {message}", style="{")

    @override
    def format(self, record: logging.LogRecord) -> str:
        record.request_id = _request_id(record) or "-"
        return without_secrets(super().format(record))

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        # Text from another server could contain line breaks and imitate log lines.
        return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], super().formatMessage(record))


class JSONFormatter(logging.Formatter):
    """Writes one JSON object per line.

    ``time`` (ISO 8601 in UTC with milliseconds), ``level``, ``logger``, ``message`` and
    ``request_id`` are strings; ``process`` is the integer process ID. ``exception``, a traceback,
    is there for exceptions only. The scalars that were passed as ``extra`` follow ``request_id``.
    """

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _iso(record.created),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            "request_id": _request_id(record),
        }
        for name, value in vars(record).items():
            if name not in _OWN and isinstance(value, str | int | float | bool | None):
                line.setdefault(name, value)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(
            {
                name: without_secrets(value) if isinstance(value, str) else value
                for name, value in line.items()
            }
        )


def _request_id(record: logging.LogRecord) -> str:
    """Return the ID of the request that the record belongs to; empty where there is none.

    Django logs error responses after all middleware has ended. There is no current request then,
    but the record has the request as an attribute.
    """
    request = getattr(record, "request", None)
    own = getattr(record, "request_id", "") or request_id.current()
    return own or getattr(request, "request_id", "")


def _iso(timestamp: float) -> str:
    text = datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
