"""Wake-up tasks in the database (SQLite or PostgreSQL), through django-tasks-db."""

import datetime as dt
import time

from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker as TaskWorker
from django_tasks_db.models import DBTaskResult

POLL_SECONDS = 0.25
KEPT = dt.timedelta(days=1)
"""How long finished tasks are kept."""


class DatabaseWakeups:
    """``WakeupQueue`` for the database."""

    errors: tuple[type[Exception], ...] = ()  # if the database is away, there are no runs either

    def has_pending(self) -> bool:
        return DBTaskResult.objects.ready().exists()

    def process_next(self, worker: str) -> None:
        # This check comes first, because the worker of django-tasks-db locks the database each time
        # it looks for a task.
        if not self.has_pending():
            time.sleep(POLL_SECONDS)
            return
        TaskWorker(
            queue_names=["default"],
            interval=POLL_SECONDS,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=1,
            worker_id=worker,
            excluded_queue_names=[],
        ).run()

    def clean_up(self, worker: str) -> None:  # noqa: ARG002 (no rows here belong to a worker)
        DBTaskResult.objects.finished().filter(finished_at__lt=timezone.now() - KEPT).delete()
