"""The state of a worker process, shared by its executing thread and its heartbeat thread."""

import enum
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

LARGEST_MARGIN_SECONDS = 3.0
"""Time to kill a run's commands before its lease ends; less for short leases."""


class Stop(enum.Enum):
    """Why the current run must end before its work is done."""

    CANCELED = "canceled"
    WORKER_STOPPED = "worker stopped"
    LEASE_LOST = "lease lost"
    """The database shows that another process has ended the run."""
    LEASE_OVER = "lease over"
    """The database could not be used for so long that another process may end the run now."""


def lease_end(asked_at: float) -> float:
    """Until when a worker may execute a run without renewing its lease.

    Args:
        asked_at: the worker's ``time.monotonic()``, in seconds, before it asked for the lease.
            The database grants the lease later than that, so the lease ends later as well.

    Returns:
        A time of the same clock. It leaves a margin in which the run's commands are killed
        before the lease ends.
    """
    lease: float = settings.RUN_LEASE_SECONDS
    return asked_at + lease - min(lease / 4, LARGEST_MARGIN_SECONDS)


class WorkerContext:
    """A worker's identity, its current run, and whether this run must stop.

    The executing thread takes and releases runs; the heartbeat and the signal handler ask it to
    stop. Every write of a worker is conditional on its token, so each worker process makes a new
    token.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.token = secrets.token_urlsafe(16)
        self.closing = False
        """True when the worker has been asked to end; it then takes no further run."""
        self.run_id: str | None = None
        self.outage: Exception | None = None
        """The database error that ended the last wake-up task; the main loop handles this error."""
        self.lease_ends = math.inf
        """When the current run must stop unless its lease is renewed (``time.monotonic()``)."""
        self._on_renewal: Callable[[float], None] | None = None
        self._stop: Stop | None = None
        self._lock = threading.RLock()  # reentrant: a signal handler may interrupt its own thread

    @property
    def stop(self) -> Stop | None:
        """Why the current run must stop; None while it may go on."""
        if self._stop is not Stop.LEASE_LOST and time.monotonic() >= self.lease_ends:
            return Stop.LEASE_OVER
        return self._stop

    def take(self, run_id: str, lease_ends: float = math.inf) -> None:
        """Make this run the current one. ``lease_ends`` is a time of ``time.monotonic()``."""
        with self._lock:
            self.run_id, self._stop, self.lease_ends = run_id, None, lease_ends

    def release(self) -> None:
        """Note that the worker executes no run any more."""
        with self._lock:
            self.run_id, self._stop, self.lease_ends = None, None, math.inf

    def renew(self, run_id: str, lease_ends: float) -> None:
        """Extend the lease of this run, unless it is no longer the current run.

        A lease that is already over is not renewed: the run's commands may have been killed.
        """
        with self._lock:
            if self.run_id == run_id and self.stop is not Stop.LEASE_OVER:
                self.lease_ends = max(self.lease_ends, lease_ends)
                if self._on_renewal:
                    self._on_renewal(self.lease_ends)

    @contextmanager
    def reporting_renewals(self, report: Callable[[float], None]) -> Iterator[None]:
        """Call ``report`` with the end of the lease now, and again with every renewal.

        Later calls come from the thread that renews the lease.
        """
        with self._lock:
            self._on_renewal = report
            report(self.lease_ends)
        try:
            yield
        finally:
            with self._lock:
                self._on_renewal = None

    def ask_to_stop(self, run_id: str, why: Stop) -> None:
        """Ask the current run to stop, if it is still the run with this ID.

        The first reason counts, except that a lost lease replaces any other reason.
        """
        with self._lock:
            if self.run_id == run_id and (self._stop is None or why is Stop.LEASE_LOST):
                self._stop = why


_current: WorkerContext | None = None


def current_worker() -> WorkerContext | None:
    """The worker of this process; None in other processes, such as the web server."""
    return _current


def set_current_worker(context: WorkerContext) -> None:
    """Make this process a worker. Tasks find the context with ``current_worker``."""
    global _current  # noqa: PLW0603 (tasks take no argument for their process)
    _current = context
