"""What can come of an attempt to start a run."""

import uuid
from dataclasses import dataclass

from workorders.errors import RunsAPIError
from workorders.runs_api.schemas import Run, RunReference, WorkOrder


@dataclass(frozen=True, slots=True)
class Started:
    """The API has accepted a run; ``is_seen``: it exists, by its number or because it was seen."""

    run: RunReference
    is_seen: bool = True


@dataclass(frozen=True, slots=True)
class Queued:
    """The server is full; a run exists and waits (CAPACITY_EXCEEDED).

    ``run`` is ``None`` where the API does not name it, ``position`` where it does not tell.
    """

    run: RunReference | None
    position: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """No run was started, and the same key may be sent again.

    ``blocking_run`` is the run that stands in the way, where there is one.
    """

    error: RunsAPIError
    blocking_run: Run | RunReference | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """Nothing was sent: the work order is not as the dialog showed it."""

    work_order: WorkOrder


@dataclass(frozen=True, slots=True)
class Failed:
    """The API itself says that it failed, and no new run is to be seen."""

    error: RunsAPIError


@dataclass(frozen=True, slots=True)
class Checking:
    """It is not known yet whether a run was started by the attempt with this key.

    ``names_other_run``: the API accepted it, and its answer is about another run.
    """

    key: uuid.UUID
    names_other_run: bool = False


@dataclass(frozen=True, slots=True)
class NotKnown:
    """It could not be found out, so nothing is sent again with this key."""

    key: uuid.UUID
    names_other_run: bool = False


TriggerOutcome = Started | Queued | Refused | Changed | Failed | Checking | NotKnown
