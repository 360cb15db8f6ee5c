"""What the templates of the trigger dialog read."""

from dataclasses import dataclass

from workorders.errors import RunsAPIError
from workorders.runs_api.schemas import Run, RunReference, WorkOrder
from workorders.trigger_run.forms import TriggerRunForm
from workorders.trigger_run.loaders import TriggerDialog


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogContext:
    """The trigger dialog of a work order: the templates know it as ``dialog``."""

    work_order_id: str
    form: TriggerRunForm
    loaded: TriggerDialog | None = None
    """What the runs API says; ``None`` while the API has not been read, or cannot be read."""
    status: int = 200
    """The HTTP status of the response."""
    error: RunsAPIError | None = None
    """Why no run was started."""
    blocking_run: Run | RunReference | None = None
    """The run that prevents the start."""
    queued: str = ""
    """The words for a run that waits in the queue without a name."""
    changes: tuple[str, ...] = ()
    """Sentences about what has changed since the dialog was opened, so that nothing was sent."""
    was_sent: bool = False
    """Whether the dialog responds to its form."""
    news: str = ""
    """What a poll of the open dialog has found out since, in sentences."""
    version: str = ""
    """The version of the part that a poll brings; empty in a whole dialog."""

    @property
    def work_order(self) -> WorkOrder | None:
        return self.loaded.work_order if self.loaded else None

    @property
    def can_start(self) -> bool:
        """Whether the runs API says that a run can be started now."""
        return self.loaded is not None and self.loaded.availability.enabled

    @property
    def is_blocked(self) -> bool:
        """Whether the runs API says that no run can be started now."""
        return self.loaded is not None and not self.loaded.availability.enabled

    @property
    def nothing_started(self) -> bool:
        """Whether to say that no run was started: the words of ``error`` do not say it."""
        is_said = self.error is None or self.error.code in {"NOT_STARTED", "IDEMPOTENCY_KEY_REUSED"}
        return self.was_sent and not is_said


def changes_since(seen: str, work_order: WorkOrder) -> tuple[str, ...]:
    """Sentences about what has changed since the dialog was opened.

    ``seen`` is the ``WorkOrder.state_token`` that the dialog showed.
    """
    status, newest_status, newest_id = (*seen.split("/", 2), "", "")[:3]
    changes = []
    if work_order.runs:
        newest = work_order.runs[0]
        if newest.id != newest_id:
            changes.append(f"{newest.label} is its newest run now ({newest.status}).")
        elif newest.status != newest_status:
            changes.append(f"{newest.label} was {newest_status} and is {newest.status} now.")
    if status != work_order.status:
        changes.append(f"Its status was {status} and is {work_order.status} now.")
    return tuple(changes)
