"""Rows of trigger attempts, as the dashboard stores them."""

import datetime as dt
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from workorders.attempts.models import TriggerAttempt

State = TriggerAttempt.State


def attempted(user: User, *, ago: float = 0, **fields: Any) -> TriggerAttempt:
    """Create an attempt of ``ago`` seconds ago, which by default started ``run-1`` of ``wo-1``."""
    sent_at = timezone.now() - dt.timedelta(seconds=ago)
    settled_at = sent_at + dt.timedelta(milliseconds=250)
    defaults: dict[str, Any] = {
        "work_order_id": "wo-1",
        "state": State.STARTED,
        "outcome": "started",
        "run_id": "run-1",
        "sent_at": sent_at,
        "settled_at": settled_at,
        "was_sent": True,
        "known_run_ids": [],
    }
    values = defaults | fields
    if values["run_id"]:
        values.setdefault("run_source", TriggerAttempt.RunSource.RESPONSE)
    attempt = TriggerAttempt.objects.create(user=user, **values)
    TriggerAttempt.objects.filter(pk=attempt.pk).update(created_at=sent_at)
    attempt.refresh_from_db()
    return attempt


def refused(user: User, code: str, *, ago: float = 0, **fields: Any) -> TriggerAttempt:
    """Create an attempt that the runs API refused with this error code."""
    fields = {"state": State.PENDING, "outcome": code, "run_id": ""} | fields
    return attempted(user, ago=ago, **fields)
