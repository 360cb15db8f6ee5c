"""The possible outcomes of an attempt to start a run."""

import uuid
from dataclasses import dataclass

from workorders.attempts.models import TriggerAttempt
from workorders.errors import RunsAPIError
from workorders.runs_api.schemas import Run, RunReference, WorkOrder


@dataclass(frozen=True, slots=True)
class Started:
    """The API has accepted a run.

    ``is_seen``: the run is known to exist, because the API has numbered it reliably or shown it.
    """

    run: RunReference
    is_seen: bool = True


@dataclass(frozen=True, slots=True)
class Queued:
    """The server is full, and the new run waits in the queue (CAPACITY_EXCEEDED).

    ``run`` is ``None`` when the API does not name the run. ``position`` is the run's place in the
    queue, from 1, and ``None`` when the API does not give it.
    """

    run: RunReference | None
    position: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """No run was started, and the same key may be sent again.

    ``blocking_run`` is the active or queued run that prevents the start, if there is one.
    """

    error: RunsAPIError
    blocking_run: Run | RunReference | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """Nothing was sent, because the work order has changed since the dialog showed it.

    ``work_order`` is the work order as it is now.
    """

    work_order: WorkOrder


@dataclass(frozen=True, slots=True)
class Failed:
    """The API itself reports a failure, and no new run is listed."""

    error: RunsAPIError


@dataclass(frozen=True, slots=True)
class Checking:
    """It is not known yet whether the attempt with this key has started a run.

    ``names_other_run``: the API accepted the start, and its response is about another run.
    """

    key: uuid.UUID
    names_other_run: bool = False


@dataclass(frozen=True, slots=True)
class NotKnown:
    """The outcome could not be found out. Nothing is sent again with this key."""

    key: uuid.UUID
    names_other_run: bool = False


TriggerOutcome = Started | Queued | Refused | Changed | Failed | Checking | NotKnown


def started(attempt: TriggerAttempt) -> Started | Queued:
    """The outcome of an attempt whose state is STARTED, as the row describes the run."""
    run = attempt.run
    if attempt.outcome == "queued" or run is None:
        return Queued(run, attempt.queue_position)
    return Started(run, attempt.is_seen)
