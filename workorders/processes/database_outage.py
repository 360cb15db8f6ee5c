"""What to do while the database cannot be used: it is away, locked, or its disk is full."""

import logging
import threading
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection, connections

logger = logging.getLogger(__name__)

DATABASE_ERRORS = (OperationalError, InterfaceError)
"""What Django raises while a database cannot be used, and what may be tried again later."""
SIGNS_OF_DAMAGE = ("not a database", "malformed", "***", "wrong # of")
"""In what SQLite says of a file, and of its ``quick_check``."""
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 4.0
FORGOTTEN_SECONDS = 60.0
"""An error so long after the last one begins another outage, where no success was noticed."""
QUIET_SECONDS = 5.0
"""How long nothing must have failed: on a full disk some writes work and others do not."""


class Outage:
    """Logs the beginning and the end of an outage once each, and paces the tries in between."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._last_error = 0.0
        self._pause = FIRST_PAUSE_SECONDS
        self._lock = threading.Lock()

    def note(self, error: Exception) -> None:
        """The database could not be used."""
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
        return self._began is not None

    def is_over(self) -> None:
        """The database could be used. Cheap: call it after any success."""
        if self._began is None or time.monotonic() - self._last_error < QUIET_SECONDS:
            return
        with self._lock:
            began, self._began = self._began, None
        if began is not None:
            seconds = self._last_error - began
            logger.warning("The database can be used again, after %.1f s or more", seconds)

    @property
    def pause_seconds(self) -> float:
        """How long to wait before the next try; longer each time it is asked for."""
        with self._lock:
            pause = self._pause
            self._pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        return pause


outage = Outage()
"""Of this process's database."""


def persist[Result](write: Callable[[], Result], *, may_go_on: Callable[[], bool]) -> Result:
    """The result of ``write``, which is tried again while the database cannot be used.

    ``write`` may have been done although it raised, when only the response was lost: it must
    come to the same if it is done twice. Raises the last error once ``may_go_on`` is false.
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
    """After one of ``DATABASE_ERRORS``: the next query of this thread connects anew."""
    outage.note(error)
    connections.close_all()


def in_short(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def database_cannot_be_used(error: Exception) -> str:
    """One sentence for who started the product, and what to do where that is known."""
    if connection.vendor != "sqlite":
        return f"The database cannot be used: {in_short(error)}"
    advice = ""
    if any(words in str(error) for words in SIGNS_OF_DAMAGE):
        advice = " The file is damaged: restore it from a backup, or move it away to begin anew."
    name = connection.settings_dict["NAME"]
    return f"The database {name} cannot be used: {in_short(error)}.{advice}"
