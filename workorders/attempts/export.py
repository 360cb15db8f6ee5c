"""An attempt as a JSON object, for other programs."""

import datetime as dt
from typing import Any

from workorders.attempts.models import TriggerAttempt


def attempt_as_json(attempt: TriggerAttempt) -> dict[str, Any]:
    """Names and order stay as they are: other programs read this. Times are UTC."""
    duration = attempt.duration
    return {
        "key": str(attempt.key),
        "user": attempt.user.username,
        "workOrderId": attempt.work_order_id,
        "maxIterations": attempt.max_iterations,
        "profileName": attempt.profile_name,
        "state": attempt.state,
        "outcome": attempt.outcome,
        "earlier": attempt.earlier,
        "runId": attempt.run_id,
        "runNumber": attempt.run_number,
        "provisionalRunId": attempt.provisional_run_id,
        "appeared": attempt.appeared,
        "found": attempt.found,
        "queuePosition": attempt.queue_position,
        "wasSent": attempt.was_sent,
        "knownRunIds": attempt.known_run_ids,
        "nextRunNumber": attempt.next_run_number,
        "createdAt": _utc(attempt.created_at),
        "sentAt": _utc(attempt.sent_at),
        "lostAt": _utc(attempt.lost_at),
        "settledAt": _utc(attempt.settled_at),
        "durationSeconds": duration.total_seconds() if duration else None,
        "requestId": attempt.request_id,
        "apiRequestId": attempt.api_request_id,
    }


def _utc(moment: dt.datetime | None) -> str | None:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if moment else None
