"""The outcome of a start whose dialog was closed while its form was under way.

Closing the dialog does not cancel the start: its outcome is reported on the page. A form is
withdrawn only when the browser knows that no response will come and the dashboard has not received
the form. A withdrawn form starts no run, even if the form arrives late.
"""

import uuid
from enum import Enum

from django.contrib.auth.models import User

from workorders.attempts import transitions
from workorders.attempts.models import WITHDRAWN, TriggerAttempt
from workorders.errors import RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import RunOverrides
from workorders.trigger_run import services
from workorders.trigger_run.outcomes import Checking, Refused, TriggerOutcome

State = TriggerAttempt.State


class Form(Enum):
    """What the browser knows about the form that it has sent."""

    UNDER_WAY = ""
    """The browser still waits for the response."""
    ANSWERED = "answered"
    """The dashboard has responded, so it has processed the form."""
    LOST = "lost"
    """No response will come; the form may still reach the dashboard."""


def outcome_of(
    client: RunsClient,
    *,
    user: User,
    work_order_id: str,
    key: uuid.UUID,
    overrides: RunOverrides,
    form: Form,
) -> TriggerOutcome:
    """The outcome of the start with this key; ``Checking`` while the outcome is not final.

    Args:
        overrides: the options of the form; stored when a lost form is withdrawn.
        form: what the browser knows about the form.
    """
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
        return Checking(key)  # the row may describe an earlier submission of this form
    if attempt.state == State.PENDING and form is Form.LOST:
        transitions.reject(attempt, attempt.overrides, RunsAPIError(code=WITHDRAWN))
    outcome = services.recheck(client, attempt)
    if isinstance(outcome, Refused) and outcome.error.code == "NOT_STARTED" and attempt.outcome:
        # The reason may be over by now, and is still the reason why this start was refused.
        return Refused(RunsAPIError(code=attempt.outcome))
    return outcome


def _not_started() -> Refused:
    return Refused(RunsAPIError(code="NOT_STARTED"))
