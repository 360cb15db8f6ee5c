"""Ends runs whose worker is gone, and no run whose worker only could not be heard.

A lease that has ended proves nothing to a process that was itself cut off from the database or
asleep, because the worker may have been so too: after a restart of PostgreSQL, or when a whole
machine wakes up, every lease has ended. So a process that has not looked at the database for a
lease's length ends no run for as long again. And where nothing can be written, workers cannot beat
either: a run is ended only some time after a write to it has worked.
"""

import contextlib
import math
import threading
import time
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError, connection

from workorders.embedded import transitions
from workorders.embedded.models import Run, beat_seconds
from workorders.processes.database_outage import DATABASE_ERRORS, outage

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Goes on while the machine is suspended (``time.monotonic`` does not, on Linux)."""


def _clocks() -> tuple[float, float]:
    """Seconds since the start of the machine, and the time of day: a virtual machine that was
    paused is told by the second alone.
    """
    return time.clock_gettime(_CLOCK), time.time()


class Reaper:
    """What this process has seen of the database, and since when without a break."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[float, float] | None = None
        self._watching_since = 0.0
        self._marked: dict[str, float] = {}
        """When each expired run was written to, by the machine's clock: its worker has had the
        time for a beat since."""

    def reap(self, *, wait_for_locks: bool = True) -> int:
        """End the runs whose leases have ended, if this process may; the number of them."""
        expired = list(Run.objects.expired())
        if not self._may_end_runs(expired):
            return 0
        try:
            with contextlib.nullcontext() if wait_for_locks else _no_waiting():
                return self._mark_or_end(expired, wait_for_locks=wait_for_locks)
        except DATABASE_ERRORS:
            self._marked = {}
            raise

    def _mark_or_end(self, expired: list[Run], *, wait_for_locks: bool) -> int:
        for run in expired:
            if run.pk not in self._marked and transitions.mark_expired(
                run, wait_for_locks=wait_for_locks
            ):
                self._marked[run.pk] = _clocks()[0]
        latest = _clocks()[0] - beat_seconds()
        due = [run for run in expired if self._marked.get(run.pk, math.inf) <= latest]
        return transitions.reap(due, wait_for_locks=wait_for_locks)

    def _may_end_runs(self, expired: list[Run]) -> bool:
        lease = settings.RUN_LEASE_SECONDS
        now = _clocks()  # after the query, which may have waited for the database
        with self._lock:
            gaps = (after - before for after, before in zip(now, self._last or now, strict=True))
            if self._last is None or max(gaps) > lease:
                self._watching_since = now[0]
            self._last = now
            still = {run.pk for run in expired}
            self._marked = {key: at for key, at in self._marked.items() if key in still}
            return bool(expired) and now[0] - self._watching_since >= lease


reaper = Reaper()


def reap_in_passing() -> None:
    """For requests: what they show is then true also where no worker is alive.

    A request never depends on it: whatever stands in its way (a lock, a full disk) is left to
    the next one.
    """
    try:
        reaper.reap(wait_for_locks=False)
    except DATABASE_ERRORS as exc:
        outage.note(exc)
    except DatabaseError:  # the request's own queries say what is wrong
        return


@contextlib.contextmanager
def _no_waiting() -> Iterator[None]:
    """SQLite would wait for its lock; PostgreSQL is asked with NOWAIT."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        [before] = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {before:d}")
