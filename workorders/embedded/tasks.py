"""The wake-up call of the workers. What is to do stands in the runs, not in the task."""

import datetime as dt
import logging

from django.tasks import task
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from workorders.embedded.execution.executor import execute
from workorders.embedded.execution.hands import this_workers_hands
from workorders.embedded.models import Run
from workorders.embedded.transitions import claim_next

logger = logging.getLogger(__name__)

CALLS_KEPT = dt.timedelta(days=1)


@task
def execute_next_run() -> None:
    """Execute the oldest run that may start, if any: one at most, then call again if more wait."""
    hands = this_workers_hands()
    if hands is None:
        # Without a heartbeat the run would be given up as lost while it is executed.
        logger.warning("Runs are executed by 'manage.py worker' only; this process leaves them")
        return
    if not hands.closing and (run := claim_next(hands.token)):
        execute(run, hands)
        call_if_needed()
        DBTaskResult.objects.finished().filter(finished_at__lt=timezone.now() - CALLS_KEPT).delete()


def call_if_needed() -> None:
    """Enqueue a call when runs may start and no call waits: calls can get lost with a worker."""
    calls = DBTaskResult.objects.ready().filter(task_path=execute_next_run.module_path)
    if Run.objects.eligible().exists() and not calls.exists():
        execute_next_run.enqueue()
