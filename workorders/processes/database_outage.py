"""Retries and log lines while the database is away, locked, or its disk is full."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeGuard

from django.db import InterfaceError, OperationalError, connection, connections

logger = logging.getLogger(__name__)

DATABASE_ERRORS = (OperationalError, InterfaceError)
"""Django's exceptions for a database that cannot be used now; a later try may succeed."""
SIGNS_OF_DAMAGE = ("not a database", "malformed", "***", "wrong # of")
"""Words in SQLite's error messages and ``quick_check`` results that mean a damaged file."""
MISSING_PARTS = ("no such table", "no such column")
"""SQLite reports these as operational errors, but no later try can succeed."""
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 4.0
FORGOTTEN_SECONDS = 60.0
"""An error this long after the last one counts as a new outage, even if no success was seen."""
QUIET_SECONDS = 5.0
"""An outage ends after this time without an error: on a full disk some writes still succeed."""


def is_outage(error: BaseException | None) -> TypeGuard[Exception]:
    """Whether the error means that the database cannot be used now."""
    return isinstance(error, DATABASE_ERRORS) and not str(error).startswith(MISSING_PARTS)


class Outage:
    """Logs the beginning and the end of an outage once each, and sets the pauses between tries."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._last_error = 0.0
        self._pause = FIRST_PAUSE_SECONDS
        self._lock = threading.Lock()

    def note(self, error: Exception) -> None:
        """Record that the database could not be used."""
        with self._lock:
            since_last, self._last_error = time.monotonic() - self._last_error, time.monotonic()
            if self._began is not None and since_last < FORGOTTEN_SECONDS:
                return
            self._began, self._pause = time.monotonic(), FIRST_PAUSE_SECONDS
        logger.warning(
            "The database cannot be used (%s); it is tried again until it can", in_short(error)
        )

    @property
    def is_on(self) -> bool:
        """Whether an outage has begun and not ended."""
        return self._began is not None

    def is_over(self) -> None:
        """Record that the database could be used. Cheap enough to call after every success."""
        if self._began is None or time.monotonic() - self._last_error < QUIET_SECONDS:
            return
        with self._lock:
            began, self._began = self._began, None
        if began is not None:
            seconds = self._last_error - began
            logger.warning("The database can be used again, after %.1f s or more", seconds)

    @property
    def pause_seconds(self) -> float:
        """Seconds to wait before the next try. Each read doubles the next value, up to a limit."""
        with self._lock:
            pause = self._pause
            self._pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return pause


outage = Outage()
"""The outage of this process's database."""


def persist[Result](write: Callable[[], Result], *, may_go_on: Callable[[], bool]) -> Result:
    """Call ``write`` until the database can be used, and return its result.

    Args:
        write: must be idempotent. The database may have committed although ``write`` raised,
            when only the database's response was lost.
        may_go_on: called after each failure; ``False`` ends the tries.

    Raises:
        OperationalError, InterfaceError: the last error, once ``may_go_on`` returns ``False``.
    """
    while True:
        try:
            result = write()
        except DATABASE_ERRORS as exc:
            give_up_connection(exc)
            if not may_go_on():
                raise
            time.sleep(outage.pause_seconds)
        else:
            outage.is_over()
            return result


def give_up_connection(error: Exception) -> None:
    """Close this thread's connections after a database error; the next query reconnects."""
    outage.note(error)
    connections.close_all()


def in_short(error: Exception) -> str:
    """The first line of the error's message, or the name of its class."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def database_cannot_be_used(error: Exception) -> str:
    """A message for the person who started the product, with advice for a damaged file."""
    if connection.vendor != "sqlite":
        return f"The database cannot be used: {in_short(error)}"
    advice = ""
    if any(words in str(error) for words in SIGNS_OF_DAMAGE):
        advice = " The file is damaged: restore it from a backup, or move it away to begin anew."
    name = connection.settings_dict["NAME"]
    return f"The database {name} cannot be used: {in_short(error)}.{advice}"
