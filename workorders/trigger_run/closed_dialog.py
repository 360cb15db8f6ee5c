"""What became of a start whose dialog was closed while its form was under way.

The form is not taken back: whatever it starts is told. Only a form of which the browser
knows that no response will come, and that has not arrived here, is withdrawn: from then
on "not started" is true, also if the form arrives late.
"""

import uuid
from enum import Enum

from django.contrib.auth.models import User

from workorders.attempts.models import WITHDRAWN, TriggerAttempt
from workorders.errors import RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import RunOverrides
from workorders.trigger_run import services
from workorders.trigger_run.outcomes import Checking, Refused, TriggerOutcome

State = TriggerAttempt.State


class Form(Enum):
    """What the browser knows of the form that it has sent."""

    UNDER_WAY = ""
    ANSWERED = "answered"
    """The dashboard has responded, so it is done with the form."""
    LOST = "lost"
    """There was no response and there will be none; the form may still arrive."""


def outcome_of(
    client: RunsClient,
    *,
    user: User,
    work_order_id: str,
    key: uuid.UUID,
    overrides: RunOverrides,
    form: Form,
) -> TriggerOutcome:
    """``Checking`` while nothing final is known; ``overrides`` are what the form asks for."""
    attempt = TriggerAttempt.objects.filter(key=key).first()
    if attempt is None and form is Form.LOST:
        attempt, _ = TriggerAttempt.objects.get_or_create(
            key=key,
            defaults={
                "user": user,
                "work_order_id": work_order_id,
                "max_iterations": overrides.max_iterations,
                "profile_name": overrides.profile_name,
            },
        )
    if attempt is None:
        return Checking(key) if form is Form.UNDER_WAY else _not_started()
    if attempt.user_id != user.pk or attempt.work_order_id != work_order_id:
        return _not_started()
    if attempt.state == State.PENDING and form is Form.UNDER_WAY:
        return Checking(key)  # what is known may be of the time before this form
    if attempt.state == State.PENDING and form is Form.LOST:
        attempt.reject(attempt.overrides, RunsAPIError(code=WITHDRAWN))
    outcome = services.recheck(client, attempt)
    if isinstance(outcome, Refused) and outcome.error.code == "NOT_STARTED" and attempt.outcome:
        # What stood in the way then may be gone, and is the reason all the same.
        return Refused(RunsAPIError(code=attempt.outcome))
    return outcome


def _not_started() -> Refused:
    return Refused(RunsAPIError(code="NOT_STARTED"))
