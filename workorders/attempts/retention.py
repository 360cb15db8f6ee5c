"""What is removed after its time: attempts where the operator of the product wants it, sessions
that have ended always. Runs and logs are the runs API's own (``workorders.embedded.retention``).

Attempts are receipts of who started what, so nothing removes them unless ``ATTEMPTS_KEPT_DAYS`` is
set, and then each is written to a file first.
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
    """One JSON object a line, as ``export_attempts`` writes them."""
    return Path(settings.DATA_DIR) / "removed-attempts.jsonl"


def remove_old_attempts() -> int:
    """Their number. One whose start is not settled stays, whatever its age."""
    if not settings.ATTEMPTS_KEPT_DAYS:
        return 0
    before = timezone.now() - dt.timedelta(days=settings.ATTEMPTS_KEPT_DAYS)
    old = TriggerAttempt.objects.filter(created_at__lt=before).exclude(
        state__in=TriggerAttempt.OPEN
    )
    removed = 0
    while batch := list(old.select_related("user").order_by("created_at", "key")[:BATCH]):
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
    """On the disk before the rows go; one that was written twice has its key to be told by."""
    descriptor = os.open(removed_attempts_file(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(descriptor, "a") as file:  # noqa: PTH123 (for the mode)
        file.writelines(json.dumps(attempt_as_json(attempt)) + "\n" for attempt in attempts)
        file.flush()
        os.fsync(file.fileno())
