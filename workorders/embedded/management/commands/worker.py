"""``manage.py worker``: executes runs, one at a time.

To execute several runs at once, start as many workers.
"""

import contextlib
import logging
import os
import signal
import socket
import time
from argparse import ArgumentParser
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections

from workorders.embedded import tasks
from workorders.embedded.models import Worker
from workorders.embedded.wakeups import wakeup_queue
from workorders.embedded.worker.context import Stop, WorkerContext, set_current_worker
from workorders.embedded.worker.heartbeat import Heartbeat
from workorders.embedded.worker.isolation import (
    IsolationError,
    require_isolation,
    why_not_isolated,
)
from workorders.processes.database_outage import (
    DATABASE_ERRORS,
    give_up_connection,
    outage,
    persist,
)

logger = logging.getLogger(__name__)

OUTAGE_PAUSE_SECONDS = 1


class Command(BaseCommand):
    help = "Execute runs, one at a time. Ends after the run in hand; a second signal ends that too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", default="", help="How the logs call it (host and process).")

    def handle(self, *, name: str, **options: Any) -> None:
        report_isolation()
        warn_about_trusted_loopback()
        context = WorkerContext(name or f"{socket.gethostname()}-{os.getpid()}")
        set_current_worker(context)
        stop_on_signals(context)
        heartbeat = Heartbeat(context)
        # After the first heartbeat this worker counts as a free slot.
        persist(heartbeat.beat, may_go_on=lambda: not context.closing)
        heartbeat.start()
        try:
            logger.info("Worker %s waits for runs", context.name)
            process_wakeups(context)
        finally:
            heartbeat.end()
            with contextlib.suppress(DatabaseError):  # the other workers remove the row later
                Worker.objects.filter(token=context.token).delete()
            logger.info("Worker %s has ended", context.name)


def report_isolation() -> None:
    """Log a warning if commands are not isolated.

    Raises:
        CommandError: ISOLATION requires isolation, and this machine cannot isolate commands.
    """
    try:
        require_isolation()
    except IsolationError as exc:
        raise CommandError(str(exc)) from exc
    if reason := why_not_isolated():
        logger.warning(
            "Agents are not isolated: they can read and change all that this user can (%s)", reason
        )


def warn_about_trusted_loopback() -> None:
    """Log a warning if a trusted proxy has a loopback address.

    The proxy's requests are trusted by their address. Agents on the same machine send from the
    same address, so they could sign in as anybody.
    """
    loopback = (ip_address("127.0.0.1"), ip_address("::1"))
    trusted = settings.TRUSTED_PROXIES if settings.TRUSTED_USER_HEADER else []
    if any(address in network for address in loopback for network in trusted):
        logger.warning(
            "Agents with network can sign in as anybody: TRUSTED_PROXIES holds this machine. "
            "Let workers run on another one, or give profiles no network"
        )


def stop_on_signals(context: WorkerContext) -> None:
    """End the worker after its current run on the first signal, and end the run on the second."""

    def stop(*_: object) -> None:
        # Only flags are set, because an exit from here would interrupt a database call.
        if not context.closing:
            context.closing = True
        elif run_id := context.run_id:
            context.ask_to_stop(run_id, Stop.WORKER_STOPPED)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, stop)


def process_wakeups(context: WorkerContext) -> None:
    """Process wake-up tasks until the worker is asked to end.

    While the database cannot be used, the worker waits and tries again.
    """
    while not context.closing:
        close_old_connections()
        context.outage = None
        try:
            process_next(context)
            if context.outage:
                raise context.outage
        except DATABASE_ERRORS as exc:
            give_up_connection(exc)
            time.sleep(outage.pause_seconds)
        else:
            outage.is_over()


def process_next(context: WorkerContext) -> None:
    """Process one wake-up task; without the queue's server, look for a pending run directly."""
    queue = wakeup_queue()
    try:
        queue.process_next(context.token)
    except queue.errors as exc:
        logger.warning("No calls can be heard (%s): looking for runs without being called", exc)
        if not tasks.execute_pending_run(context):
            time.sleep(OUTAGE_PAUSE_SECONDS)
