"""The wake-up call of the workers. What is to do stands in the runs, not in the task."""

import logging
import time

from django.tasks import task

from workorders.embedded.models import Run
from workorders.embedded.transitions import claim_next
from workorders.embedded.wakeups import wakeup_queue
from workorders.embedded.worker.context import WorkerContext, current_worker, lease_end
from workorders.embedded.worker.executor import execute
from workorders.processes.database_outage import DATABASE_ERRORS

logger = logging.getLogger(__name__)


@task
def execute_next_run() -> None:
    """Execute the oldest run that may start, if any: one at most, then call again if more wait."""
    context = current_worker()
    if context is None:
        # Without a heartbeat the run would be given up as lost while it is executed.
        logger.warning("Runs are executed by 'manage.py worker' only; this process leaves them")
        return
    try:
        if execute_pending_run(context):
            wake_if_needed()
            wakeup_queue().clean_up(context.token)
    except DATABASE_ERRORS as exc:
        # Not the task's failure: the worker waits until the database can be used, and looks again.
        context.outage = exc


def execute_pending_run(context: WorkerContext) -> bool:
    """Execute the oldest run that may start; False when there is none, or the worker is to end."""
    lease_ends = lease_end(time.monotonic())
    if context.closing or not (run := claim_next(context.token)):
        return False
    execute(run, context, lease_ends)
    return True


def wake_if_needed() -> None:
    """Enqueue a call when runs may start and no call waits: calls can get lost with a worker."""
    if Run.objects.eligible().exists() and not wakeup_queue().has_pending():
        execute_next_run.enqueue()
