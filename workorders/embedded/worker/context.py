"""What a worker process has in hand, shared by its executing thread and its heartbeat."""

import enum
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

LARGEST_MARGIN_SECONDS = 3.0


class Stop(enum.Enum):
    """Why the run in hand has to end before it is done."""

    CANCELED = "canceled"
    WORKER_STOPPED = "worker stopped"
    LEASE_LOST = "lease lost"
    """The database says that somebody else has ended the run."""
    LEASE_OVER = "lease over"
    """The database could not be used for so long that somebody else may end the run now."""


def lease_end(asked_at: float) -> float:
    """Until when a worker may work without having heard more of the database.

    Args:
        asked_at: the worker's ``time.monotonic()`` before it asked for the lease. The database
            has granted the lease later than that, so it ends later as well.

    Returns:
        By the same clock, with a margin in which the run's commands are killed.
    """
    lease: float = settings.RUN_LEASE_SECONDS
    return asked_at + lease - min(lease / 4, LARGEST_MARGIN_SECONDS)


class WorkerContext:
    """One worker's identity, the run it executes and whether that must stop.

    The executing thread takes and releases; the heartbeat and the signal
    handler ask it to stop. The token makes every write of this worker
    conditional, so a new one is made for every worker process.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.token = secrets.token_urlsafe(16)
        self.closing = False
        """Set when the worker is to end: it takes no further run."""
        self.run_id: str | None = None
        self.outage: Exception | None = None
        """What kept a task from looking for a run, for the loop that called it."""
        self.lease_ends = math.inf
        """When the lease of the run in hand ends at the earliest, by ``time.monotonic()``."""
        self._on_renewal: Callable[[float], None] | None = None
        self._stop: Stop | None = None
        self._lock = threading.RLock()  # the signal handler interrupts its own thread

    @property
    def stop(self) -> Stop | None:
        if self._stop is not Stop.LEASE_LOST and time.monotonic() >= self.lease_ends:
            return Stop.LEASE_OVER
        return self._stop

    def take(self, run_id: str, lease_ends: float = math.inf) -> None:
        with self._lock:
            self.run_id, self._stop, self.lease_ends = run_id, None, lease_ends

    def release(self) -> None:
        with self._lock:
            self.run_id, self._stop, self.lease_ends = None, None, math.inf

    def renew(self, run_id: str, lease_ends: float) -> None:
        """Concerns only that run, as ``ask_to_stop`` does. A lease that is over stays so."""
        with self._lock:
            if self.run_id == run_id and self.stop is not Stop.LEASE_OVER:
                self.lease_ends = max(self.lease_ends, lease_ends)
                if self._on_renewal:
                    self._on_renewal(self.lease_ends)

    @contextmanager
    def reporting_renewals(self, tell: Callable[[float], None]) -> Iterator[None]:
        """``tell`` gets the end of the lease now and whenever it is renewed, in any thread."""
        with self._lock:
            self._on_renewal = tell
            tell(self.lease_ends)
        try:
            yield
        finally:
            with self._lock:
                self._on_renewal = None

    def ask_to_stop(self, run_id: str, why: Stop) -> None:
        """Concerns only that run: by now another one may be in hand. A lost lease outweighs all."""
        with self._lock:
            if self.run_id == run_id and (self._stop is None or why is Stop.LEASE_LOST):
                self._stop = why


_current: WorkerContext | None = None


def current_worker() -> WorkerContext | None:
    """None in a process that is no worker, such as the web server."""
    return _current


def set_current_worker(context: WorkerContext) -> None:
    global _current  # noqa: PLW0603 (a task cannot be handed the process it runs in)
    _current = context
