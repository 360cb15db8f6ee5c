"""``manage.py worker``: executes runs, one at a time; start as many as runs should go at once."""

import logging
import os
import socket
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connections
from django_tasks_db.management.commands.db_worker import Worker as TaskWorker

from workorders.embedded.execution.hands import Hands, Stop, become_a_worker
from workorders.embedded.heartbeat import Heartbeat
from workorders.embedded.models import Worker
from workorders.guardian import Guardian

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25


class Command(BaseCommand):
    help = "Execute runs, one at a time. Ends after the run in hand; a second signal ends that too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", default="", help="How the logs call it (host and process).")

    def handle(self, *, name: str, **options: Any) -> None:
        hands = Hands(name or f"{socket.gethostname()}-{os.getpid()}", Guardian())
        become_a_worker(hands)
        heartbeat = Heartbeat(hands)
        worker = RunWorker(hands)
        worker.configure_signals()
        heartbeat.beat()  # from now on it counts as a free slot
        heartbeat.start()
        try:
            logger.info("Worker %s waits for runs", hands.name)
            worker.run_through_outages()
        finally:
            heartbeat.end()
            Worker.objects.filter(token=hands.token).delete()
            hands.guardian.close()
            logger.info("Worker %s has ended", hands.name)


class RunWorker(TaskWorker):
    """django-tasks-db's worker, which on a second signal ends the run in hand cleanly."""

    def __init__(self, hands: Hands) -> None:
        super().__init__(
            queue_names=["default"],
            interval=POLL_SECONDS,
            batch=False,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=hands.token,
            excluded_queue_names=[],
        )
        self._hands = hands

    def run_through_outages(self) -> None:
        while self.running:
            try:
                self.run()
            except (OperationalError, InterfaceError):
                logger.exception("The database does not answer; trying again")
                connections.close_all()
                time.sleep(1)

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        # Only flags are set: an exit from here would tear a database call in the middle.
        if self.running:
            self.running = False
            self._hands.closing = True
        elif run_id := self._hands.run_id:
            self._hands.ask_to_stop(run_id, Stop.WORKER_STOPPED)
