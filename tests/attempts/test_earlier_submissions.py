"""A form that is sent again keeps what its earlier submissions have come to."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, OperationalError
from django.db.models.signals import pre_save

from tests.support.attempts import State, attempted, refused
from workorders.attempts import transitions
from workorders.attempts.export import attempt_as_json
from workorders.attempts.models import TriggerAttempt
from workorders.attempts.submissions import EarlierSubmission
from workorders.errors import RunsAPIError
from workorders.runs_api.schemas import RunOverrides


def outcomes(attempt: TriggerAttempt) -> list[str]:
    return [entry["outcome"] for entry in attempt_as_json(attempt)["earlier"]]


def test_the_newest_twenty_are_kept_in_their_order(operator_user: User) -> None:
    other = refused(operator_user, "OF-ANOTHER-FORM")
    transitions.reject(other, RunOverrides(), RunsAPIError(code="X"))
    attempt = refused(operator_user, "CODE-0")
    for number in range(1, 23):
        transitions.reject(attempt, RunOverrides(), RunsAPIError(code=f"CODE-{number}"))
    assert outcomes(attempt) == [f"CODE-{number}" for number in range(2, 22)]
    assert outcomes(other) == ["OF-ANOTHER-FORM"]


def test_a_claim_that_fails_leaves_no_submission(operator_user: User) -> None:
    mine, stale = refused(operator_user, "TEAPOT"), TriggerAttempt.objects.get()
    assert transitions.claim(mine, RunOverrides(5))
    assert not transitions.claim(stale, RunOverrides(5))  # the same form, sent twice
    other = refused(operator_user, "TEAPOT")
    assert not transitions.claim(other, RunOverrides(5))  # another one is in flight
    assert (outcomes(mine), outcomes(other)) == (["TEAPOT"], [])


def test_nothing_is_claimed_when_the_earlier_submission_cannot_be_stored(
    operator_user: User,
) -> None:
    def fail(**_: object) -> None:
        raise OperationalError("the disk is full")

    attempt = refused(operator_user, "TEAPOT")
    pre_save.connect(fail, sender=EarlierSubmission)
    try:
        with pytest.raises(OperationalError):
            transitions.claim(attempt, RunOverrides(5))
    finally:
        pre_save.disconnect(fail, sender=EarlierSubmission)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.outcome) == (State.PENDING, "TEAPOT")
    assert attempt.max_iterations is None


def test_a_run_without_a_source_cannot_be_stored(operator_user: User) -> None:
    """It would escape the constraints that give a run to one attempt."""
    with pytest.raises(IntegrityError, match="run_has_source"):
        attempted(operator_user, run_id="run-1", run_source="")
