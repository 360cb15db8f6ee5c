"""Ends runs whose worker is gone, but no run whose worker was only cut off for a while.

An expired lease does not always prove that the worker is dead: after a restart of PostgreSQL, or
when a suspended machine wakes up, all leases have expired although the workers are alive. Two
rules keep such runs:

1. A process that has not queried the database for the length of a lease was cut off or asleep
   itself, and the workers may have been so too. It ends no run for the length of another lease.
2. While the database cannot be written to, workers cannot renew their leases. A run is therefore
   ended only after a write to its row has succeeded and the worker has then had the time for a
   heartbeat.
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
"""A clock that also counts while the machine is suspended, unlike ``time.monotonic`` on Linux."""


def _clocks() -> tuple[float, float]:
    """Two clocks in seconds: since the start of the machine, and since the epoch.

    Only the second clock shows that a virtual machine was paused.
    """
    return time.clock_gettime(_CLOCK), time.time()


class Reaper:
    """Ends runs whose lease has expired, by the two rules of this module.

    The object remembers when this process last queried the database, and since when the process
    has done so without a gap.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[float, float] | None = None
        self._watching_since = 0.0
        self._marked: dict[str, float] = {}
        """By run ID: when the row of the expired run was written to (first clock of
        ``_clocks``). A worker that is alive sends a heartbeat soon after this time."""

    def reap(self, *, wait_for_locks: bool = True) -> int:
        """End the runs whose worker is gone; the number of runs that were ended.

        With ``wait_for_locks=False`` an error is raised instead of waiting for another
        transaction. Raises ``DATABASE_ERRORS`` while the database cannot be used.
        """
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
            if run.pk not in self._marked and transitions.touch_expired(
                run, wait_for_locks=wait_for_locks
            ):
                self._marked[run.pk] = _clocks()[0]
        latest = _clocks()[0] - beat_seconds()
        due = [run for run in expired if self._marked.get(run.pk, math.inf) <= latest]
        return transitions.reap(due, wait_for_locks=wait_for_locks)

    def _may_end_runs(self, expired: list[Run]) -> bool:
        """Whether this process has queried the database without a gap for a lease's length."""
        lease = settings.RUN_LEASE_SECONDS
        now = _clocks()  # read after the query, because the query may have waited
        with self._lock:
            gaps = (after - before for after, before in zip(now, self._last or now, strict=True))
            if self._last is None or max(gaps) > lease:
                self._watching_since = now[0]
            self._last = now
            expired_ids = {run.pk for run in expired}
            self._marked = {key: at for key, at in self._marked.items() if key in expired_ids}
            return bool(expired) and now[0] - self._watching_since >= lease


reaper = Reaper()


def reap_in_passing() -> None:
    """End the runs whose worker is gone, as part of a request.

    The statuses that requests show are then true even while no worker is alive. This function
    raises no database error and waits for no lock: if a lock or a full disk is in the way, a
    later request ends the runs.
    """
    try:
        reaper.reap(wait_for_locks=False)
    except DATABASE_ERRORS as exc:
        outage.note(exc)
    except DatabaseError:  # the queries of the request itself report the problem
        return


@contextlib.contextmanager
def _no_waiting() -> Iterator[None]:
    """Let SQLite raise at once instead of waiting for its lock.

    PostgreSQL needs nothing here, because its queries use NOWAIT.
    """
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
