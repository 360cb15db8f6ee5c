"""Removal of old attempts.

Attempts record who started which run, so they are removed only when ``ATTEMPTS_KEPT_DAYS`` is
set, and each attempt is written to a file first. ``workorders.embedded.retention`` removes runs
and logs.
"""

import datetime as dt
import json
import logging
import os
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from workorders.attempts.export import attempt_as_json
from workorders.attempts.models import TriggerAttempt

logger = logging.getLogger(__name__)

BATCH = 500


def removed_attempts_file() -> Path:
    """The file of removed attempts: one JSON object per line, as ``export_attempts`` writes."""
    return Path(settings.DATA_DIR) / "removed-attempts.jsonl"


def remove_old_attempts() -> int:
    """Remove attempts older than ``ATTEMPTS_KEPT_DAYS``, and return their number.

    Attempts in flight (SENT, UNCONFIRMED) stay, whatever their age.
    """
    if not settings.ATTEMPTS_KEPT_DAYS:
        return 0
    before = timezone.now() - dt.timedelta(days=settings.ATTEMPTS_KEPT_DAYS)
    old = TriggerAttempt.objects.filter(created_at__lt=before).exclude(
        state__in=TriggerAttempt.OPEN
    )
    related = old.select_related("user").prefetch_related("earlier_submissions")
    removed = 0
    while batch := list(related.order_by("created_at", "key")[:BATCH]):
        _write_down(batch)
        TriggerAttempt.objects.filter(pk__in=[attempt.pk for attempt in batch]).delete()
        removed += len(batch)
    if removed:
        logger.warning(
            "Removed %d attempts older than %g days; they are kept in %s",
            removed,
            settings.ATTEMPTS_KEPT_DAYS,
            removed_attempts_file(),
        )
    return removed


def _write_down(attempts: list[TriggerAttempt]) -> None:
    """Write the attempts to the disk before their rows are deleted.

    A crash in between may write an attempt twice; readers recognise duplicates by ``key``.
    """
    descriptor = os.open(removed_attempts_file(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(descriptor, "a") as file:  # noqa: PTH123 (for the mode)
        file.writelines(json.dumps(attempt_as_json(attempt)) + "\n" for attempt in attempts)
        file.flush()
        os.fsync(file.fileno())
