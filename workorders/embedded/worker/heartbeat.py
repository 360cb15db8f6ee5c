"""A worker's heartbeat: a thread that runs beside the executing thread."""

import contextlib
import logging
import threading
import time

from django.db import DatabaseError, close_old_connections, connections
from django.db.models.functions import Now

from workorders.embedded import tasks
from workorders.embedded.models import Run, Worker, beat_seconds, lease
from workorders.embedded.reaping import reaper
from workorders.embedded.wakeups import wakeup_queue
from workorders.embedded.worker.context import Stop, WorkerContext, lease_end
from workorders.embedded.worker.isolation import why_not_isolated
from workorders.processes.database_outage import DATABASE_ERRORS, give_up_connection, outage

logger = logging.getLogger(__name__)

CHECK_SECONDS = 0.5
"""Seconds between two checks of whether the current run is to be canceled."""
FORGET_AFTER_LEASES = 10
"""Rows of workers without a heartbeat for so many leases are removed."""


class Heartbeat(threading.Thread):
    """Sends a heartbeat every ``beat_seconds``.

    A heartbeat that failed is tried again after the next ``CHECK_SECONDS``.
    """

    def __init__(self, context: WorkerContext) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self._context = context
        self._ended = threading.Event()

    def run(self) -> None:
        interval = beat_seconds()
        next_beat = time.monotonic() + interval
        try:
            while not self._ended.wait(min(CHECK_SECONDS, interval)):
                try:
                    close_old_connections()
                    self._check_current_run()
                    if time.monotonic() >= next_beat:
                        self.beat()
                        next_beat = time.monotonic() + interval
                except DATABASE_ERRORS as exc:
                    # If heartbeats fail for the length of a lease, the run must end, and it does.
                    give_up_connection(exc)
                except DatabaseError:
                    logger.exception("A heartbeat was missed")
        finally:
            connections.close_all()

    def end(self) -> None:
        """Stop the thread and wait for its end."""
        self._ended.set()
        self.join()

    def beat(self) -> None:
        """Renew the lease and the worker's row, end lost runs and enqueue missing wake-ups."""
        # The lease comes first, because it has the least time left.
        if run_id := self._context.run_id:
            lease_ends = lease_end(time.monotonic())
            held = Run.objects.held_by(run_id, self._context.token)
            if held.update(lease_until=Now() + lease()):
                self._context.renew(run_id, lease_ends)
        outage.is_over()
        Worker.objects.update_or_create(
            token=self._context.token,
            defaults={
                "name": self._context.name,
                "seen_at": Now(),
                "not_isolated": why_not_isolated(),
            },
        )
        if reaped := reaper.reap():
            logger.warning("Ended %d run(s) whose worker is gone", reaped)
        # While the queue is down, workers look for pending runs without wake-up tasks.
        with contextlib.suppress(*wakeup_queue().errors):
            tasks.wake_if_needed()
        Worker.objects.filter(seen_at__lt=Now() - FORGET_AFTER_LEASES * lease()).delete()

    def _check_current_run(self) -> None:
        run_id = self._context.run_id
        if run_id is None:
            return
        held = Run.objects.held_by(run_id, self._context.token)
        cancel = held.values_list("cancel_requested", flat=True).first()
        if cancel is None:
            # Either the executing thread has just finished the run, and the request to stop does
            # no harm, or the lease is lost and the run must stop.
            self._context.ask_to_stop(run_id, Stop.LEASE_LOST)
        elif cancel:
            self._context.ask_to_stop(run_id, Stop.CANCELED)
