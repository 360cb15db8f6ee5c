"""What this process knows of the runs API: whether it answers, since when, and what is wrong.

Every call tells its outcome here (``RunsClient._exchange``), and pages, banner and health
endpoints read it, so that nobody waits for an API that does not answer to learn that.
"""

import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

from workorders.errors import InvalidResponse, RunsAPIError

logger = logging.getLogger(__name__)

GATEWAY_STATUSES = frozenset({502, 503, 504})
"""Sent for a server that does not answer, by something in front of it (RFC 9110 15.6)."""


class State(Enum):
    """The words are ``/readyz``'s."""

    UNKNOWN = "not asked yet"
    WELL = "ok"
    KEY_REFUSED = "key refused"
    LOST = "unreachable"


@dataclass(frozen=True, slots=True)
class Health:
    """One moment's knowledge; ``diagnosis`` is a sentence, empty while nothing is wrong."""

    state: State = State.UNKNOWN
    since: datetime | None = None
    diagnosis: str = ""
    last_answer: datetime | None = None

    @property
    def is_well(self) -> bool:
        return self.state is State.WELL

    @property
    def is_lost(self) -> bool:
        return self.state is State.LOST

    @property
    def is_wrong(self) -> bool:
        """It was asked, and it cannot be worked with."""
        return self.state in {State.LOST, State.KEY_REFUSED}


class HealthRecord:
    """Thread-safe. A failure that may be one endpoint's own is a doubt: it counts when
    ``confirm_suspicion`` is called before another call was answered.

    Args:
        logs: write a line whenever the API is lost, and when it is back.
    """

    def __init__(self, *, logs: bool = True) -> None:
        self._logs = logs
        self.suspicion_raised = threading.Event()
        self._suspicion = ""
        self._health = Health()
        self._lock = threading.Lock()

    @property
    def health(self) -> Health:
        return self._health

    @property
    def accepts_queueing(self) -> bool:
        """Nothing speaks against an answer to the next call."""
        return not self._suspicion and not self._health.is_lost

    def answered(self) -> None:
        self._enter(State.WELL, answered=True)

    def refused(self, error: RunsAPIError, diagnosis: str, *, reading: bool) -> bool:
        """An answer that is no success; ``True``: it speaks against the server.

        Only a read speaks of the key: one that may read and not start runs is no wrong key,
        and there are servers that check it on writes alone.
        """
        gateway = error.status in GATEWAY_STATUSES and error.code != "CAPACITY_EXCEEDED"
        foreign = isinstance(error, InvalidResponse)
        about_key = error.status == 401 or (
            error.status == 403 and (foreign or error.code == "FORBIDDEN")
        )
        if about_key and (reading or self._health.state is State.KEY_REFUSED):
            self._enter(State.KEY_REFUSED, diagnosis, answered=True)
        elif gateway or foreign:
            self.failed(diagnosis)
        else:
            self.answered()
            return False
        return True

    def failed(self, diagnosis: str, *, certain: bool = False) -> None:
        """No answer; ``certain``: not even a connection, so it is not one endpoint's failure."""
        if certain:
            self._enter(State.LOST, diagnosis)
        else:
            self._suspicion = diagnosis
            if not self._health.is_lost:
                self.suspicion_raised.set()

    def confirm_suspicion(self) -> None:
        if doubt := self._suspicion:
            self._enter(State.LOST, doubt)

    def _enter(self, state: State, diagnosis: str = "", *, answered: bool = False) -> None:
        now = datetime.now(UTC)
        with self._lock:
            before = self._health
            health = replace(before, state=state, diagnosis=diagnosis)
            if answered:
                self._suspicion = ""
                health = replace(health, last_answer=now)
            if state is not before.state:
                health = replace(health, since=now)
            self._health = health
        if self._logs and state is not before.state:
            _log(before, health)


def _log(before: Health, health: Health) -> None:
    """Once for each change: a server that is down is asked again and again."""
    if health.is_wrong:
        logger.warning("The runs API cannot be used: %s", health.diagnosis)
    elif before.is_wrong and before.since and health.since:
        away = (health.since - before.since).total_seconds()
        logger.info("The runs API can be used again, after %.1f s", away)
