"""What this process knows about the runs API: whether it responds, since when, what is wrong.

Every call reports its outcome to a ``HealthRecord`` (``RunsClient._exchange``). Pages, the
banner and the health endpoints read the record, so that none of them has to wait for an API
that does not respond.
"""

import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

from workorders.errors import InvalidResponse, RunsAPIError

logger = logging.getLogger(__name__)

GATEWAY_STATUSES = frozenset({502, 503, 504})
"""A gateway sends these statuses when the server behind it does not respond (RFC 9110 15.6)."""


class State(Enum):
    """The state of the runs API. ``/readyz`` shows the values."""

    UNKNOWN = "not asked yet"
    WELL = "ok"
    KEY_REFUSED = "key refused"
    LOST = "unreachable"


@dataclass(frozen=True, slots=True)
class Health:
    """What is known about the runs API at one time."""

    state: State = State.UNKNOWN
    since: datetime | None = None
    """When ``state`` was entered (UTC); ``None`` before the first call."""
    diagnosis: str = ""
    """A sentence that says what is wrong; empty while nothing is wrong."""
    last_answer: datetime | None = None
    """When the API last responded (UTC); ``None``: never."""

    @property
    def is_well(self) -> bool:
        """Whether the API responded as a runs API, and has not been found unusable since."""
        return self.state is State.WELL

    @property
    def is_lost(self) -> bool:
        """Whether the API does not respond, or does not respond as a runs API."""
        return self.state is State.LOST

    @property
    def is_wrong(self) -> bool:
        """Whether the API was called and turned out to be unusable."""
        return self.state in {State.LOST, State.KEY_REFUSED}


class HealthRecord:
    """The current ``Health`` of the runs API; safe to use from several threads.

    A failed call may be the fault of a single endpoint, so the record only suspects the server
    at first. ``confirm_suspicion`` turns the suspicion into the state LOST, unless another call
    got a response in the meantime.

    Args:
        logs: whether to write a log line when the API becomes unusable or usable again.
    """

    def __init__(self, *, logs: bool = True) -> None:
        self._logs = logs
        self.suspicion_raised = threading.Event()
        self._suspicion = ""
        self._health = Health()
        self._lock = threading.Lock()

    @property
    def health(self) -> Health:
        """What is known now."""
        return self._health

    @property
    def accepts_queueing(self) -> bool:
        """Whether a call may wait for a free connection: the next call is likely to succeed."""
        return not self._suspicion and not self._health.is_lost

    def answered(self) -> None:
        """Record a response that proves that the API works."""
        self._enter(State.WELL, answered=True)

    def refused(self, error: RunsAPIError, diagnosis: str, *, is_read: bool) -> bool:
        """Record a response that is an error; return whether the server itself is at fault.

        Only a refused read leads to the state KEY_REFUSED. A refused write proves nothing: a key
        may be allowed to read but not to start runs, and some servers check keys on writes only.
        A refused write does keep a state KEY_REFUSED that a read has led to.

        Args:
            error: the error that the response means.
            diagnosis: a sentence that says what is wrong, if the server is at fault.
            is_read: whether the request was a GET.
        """
        gateway = error.status in GATEWAY_STATUSES and error.code != "CAPACITY_EXCEEDED"
        foreign = isinstance(error, InvalidResponse)
        about_key = error.status == 401 or (
            error.status == 403 and (foreign or error.code == "FORBIDDEN")
        )
        if about_key and (is_read or self._health.state is State.KEY_REFUSED):
            self._enter(State.KEY_REFUSED, diagnosis, answered=True)
        elif gateway or foreign:
            self.failed(diagnosis)
        else:
            self.answered()
            return False
        return True

    def failed(self, diagnosis: str, *, certain: bool = False) -> None:
        """Record a call that got no response from the runs API.

        Args:
            diagnosis: a sentence that says why.
            certain: whether not even a connection was possible. That cannot be the fault of
                a single endpoint, so no confirmation is needed.
        """
        if certain:
            self._enter(State.LOST, diagnosis)
        else:
            self._suspicion = diagnosis
            if not self._health.is_lost:
                self.suspicion_raised.set()

    def confirm_suspicion(self) -> None:
        """Enter the state LOST if a call failed and no call got a response since."""
        if suspicion := self._suspicion:
            self._enter(State.LOST, suspicion)

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
    """Log a change of state, once: a server that is down is called many times."""
    if health.is_wrong:
        logger.warning("The runs API cannot be used: %s", health.diagnosis)
    elif before.is_wrong and before.since and health.since:
        away = (health.since - before.since).total_seconds()
        logger.info("The runs API can be used again, after %.1f s", away)
