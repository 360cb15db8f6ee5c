"""How log lines are written: as text for people, or as JSON for what collects them.

Both carry the ID of the request they belong to, and neither carries a secret.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import override

from django.db import InterfaceError, OperationalError

from workorders.observability import request_id
from workorders.observability.redaction import without_secrets

DATABASE_ERRORS = (OperationalError, InterfaceError)

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request_id"}
"""What every record has; the rest is what the caller of the logger has added."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class ExceptionsOnly(logging.Filter):
    """What broke a page. A page that is refused (403, 404) raises an exception too, on purpose."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info is None or getattr(record, "status_code", 500) < 500:
            return False
        # A database that cannot be used is told of once (workorders.processes.database_outage).
        return not isinstance(record.exc_info[1], DATABASE_ERRORS)


class TextFormatter(logging.Formatter):
    """``time level logger [request ID]: message``, and a traceback below."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} [{request_id}]: {message}", style="{")

    @override
    def format(self, record: logging.LogRecord) -> str:
        record.request_id = _request_id(record) or "-"
        return without_secrets(super().format(record))

    @override
    def formatMessage(self, record: logging.LogRecord) -> str:
        # Words of another server must not look like lines of this one.
        return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], super().formatMessage(record))


class JSONFormatter(logging.Formatter):
    """One object a line: time, level, logger, process, message, request_id, the caller's fields."""

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
    """Django writes its line about an answer after all middleware, and with the request in it."""
    request = getattr(record, "request", None)
    own = getattr(record, "request_id", "") or request_id.current()
    return own or getattr(request, "request_id", "")


def _iso(timestamp: float) -> str:
    moment = datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds")
    return moment.replace("+00:00", "Z")
