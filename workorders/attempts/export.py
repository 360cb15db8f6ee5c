"""An attempt as a JSON object, for other programs."""

import datetime as dt
from typing import Any

from workorders.attempts.models import TriggerAttempt
from workorders.attempts.submissions import EarlierSubmission

State = TriggerAttempt.State

EXPORTED_STATES = {
    State.PENDING: "ready",
    State.SENT: "sending",
    State.UNCONFIRMED: "unsettled",
    State.STARTED: "started",
    State.UNRESOLVED: "unknown",
}
"""The values of ``state`` in exports, which other programs read. They outlast our own names."""


def attempt_as_json(attempt: TriggerAttempt) -> dict[str, Any]:
    """An attempt as a JSON object, the same in every export.

    Callers prefetch ``earlier_submissions``.

    Timestamps are ISO 8601 in UTC with "Z"; null means that the event has not happened.
    ``state`` is a value of ``EXPORTED_STATES``; ``outcome`` is "started", "queued", an error
    code or empty. ``knownRunIds`` and ``nextRunNumber`` are null when the API did not give them.
    ``earlier`` lists earlier submissions of the same form, oldest first.

    Other programs read these objects: names and their order must not change. A new field may be
    appended.
    """
    duration = attempt.duration
    return {
        "key": str(attempt.key),
        "user": attempt.user.username,
        "workOrderId": attempt.work_order_id,
        "maxIterations": attempt.max_iterations,
        "profileName": attempt.profile_name,
        "state": EXPORTED_STATES[State(attempt.state)],
        "outcome": attempt.outcome,
        "earlier": [_earlier(submission) for submission in attempt.earlier_submissions.all()],
        "runId": attempt.run_id,
        "runNumber": attempt.run_number,
        "provisionalRunId": attempt.provisional_run_id,
        "appeared": attempt.run_confirmed_at is not None,
        "found": attempt.run_source == TriggerAttempt.RunSource.RECONCILED,
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


def _earlier(submission: EarlierSubmission) -> dict[str, Any]:
    """An earlier submission. ``sentAt`` ends with "+00:00", as it did in the first exports."""
    sent_at, duration = submission.sent_at, submission.duration
    return {
        "sentAt": sent_at.astimezone(dt.UTC).isoformat() if sent_at else None,
        "outcome": submission.outcome,
        "maxIterations": submission.max_iterations,
        "profileName": submission.profile_name,
        "durationSeconds": duration.total_seconds() if duration else None,
        "requestId": submission.request_id,
        "apiRequestId": submission.api_request_id,
    }


def _utc(timestamp: dt.datetime | None) -> str | None:
    return timestamp.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if timestamp else None
