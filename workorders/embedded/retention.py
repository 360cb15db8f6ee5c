"""Removes runs older than ``RUNS_KEPT_DAYS`` and logs older than ``LOGS_KEPT_DAYS``.

A setting that is not set keeps everything.
"""

import datetime as dt
import logging

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from workorders.embedded.models import FINAL, LogChunk, Run, RunQuerySet

logger = logging.getLogger(__name__)

BATCH = 200
LOG_REMOVED = "── This log was removed after {days:g} days (LOGS_KEPT_DAYS) ──\n"


def remove_old_runs() -> int:
    """Remove runs that ended more than ``RUNS_KEPT_DAYS`` days ago; the number of removed runs.

    The newest run of a work order is kept, because the work order's status is derived from it.
    """
    if not settings.RUNS_KEPT_DAYS:
        return 0
    newer = Run.objects.filter(work_order=OuterRef("work_order"), number__gt=OuterRef("number"))
    old = _ended_before(settings.RUNS_KEPT_DAYS).filter(Exists(newer))
    removed = 0
    while batch := list(old.values_list("pk", flat=True)[:BATCH]):
        Run.objects.filter(pk__in=batch).delete()
        removed += len(batch)
    if removed:
        logger.warning("Removed %d runs older than %g days", removed, settings.RUNS_KEPT_DAYS)
    return removed


def remove_old_logs() -> int:
    """Remove logs of runs that ended more than ``LOGS_KEPT_DAYS`` days ago; the number of runs.

    One line that says so takes the place of each log.
    """
    days = settings.LOGS_KEPT_DAYS
    if not days:
        return 0
    note = LOG_REMOVED.format(days=days).encode()
    old = _ended_before(days).exclude(log_size=len(note)).filter(log_size__gt=0)
    runs = list(old.values_list("pk", flat=True))
    for run_id in runs:
        with transaction.atomic():
            LogChunk.objects.filter(run=run_id).delete()
            LogChunk.objects.create(run_id=run_id, offset=0, data=note)
            Run.objects.filter(pk=run_id).update(log_size=len(note))
    if runs:
        logger.warning("Removed the logs of %d runs older than %g days", len(runs), days)
    return len(runs)


def _ended_before(days: float) -> RunQuerySet:
    before = timezone.now() - dt.timedelta(days=days)
    return Run.objects.filter(status__in=FINAL, completed_at__lt=before)
