"""The task that wakes a worker. It carries no payload: pending runs are read from the database."""

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
    """Execute the oldest run that may start, if there is one.

    At most one run is executed; if more runs are pending, another wake-up task is enqueued.
    """
    context = current_worker()
    if context is None:
        # A process without a heartbeat would lose its lease while it executes the run.
        logger.warning("Runs are executed by 'manage.py worker' only; this process leaves them")
        return
    try:
        if execute_pending_run(context):
            wake_if_needed()
            wakeup_queue().clean_up(context.token)
    except DATABASE_ERRORS as exc:
        # The task has not failed: the worker waits until the database can be used.
        context.outage = exc


def execute_pending_run(context: WorkerContext) -> bool:
    """Execute the oldest run that may start.

    Returns False when there is no such run, or when the worker has been asked to end.
    """
    lease_ends = lease_end(time.monotonic())
    if context.closing or not (run := claim_next(context.token)):
        return False
    execute(run, context, lease_ends)
    return True


def wake_if_needed() -> None:
    """Enqueue a wake-up task if a run may start and no wake-up task is pending.

    Wake-up tasks can get lost when a worker dies, so the heartbeat calls this function as well.
    """
    if Run.objects.eligible().exists() and not wakeup_queue().has_pending():
        execute_next_run.enqueue()
