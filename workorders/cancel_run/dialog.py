"""What the templates of the cancel dialog read."""

from dataclasses import dataclass

from workorders.cancel_run.loaders import CancelDialog
from workorders.cancel_run.outcomes import NotCancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogContext:
    """The cancel dialog of a run: the templates know it as ``dialog``."""

    run_id: str
    loaded: CancelDialog | None = None
    """What the runs API says; ``None``: the run cannot be read."""
    failure: NotCancelled | None = None
    """Why the run was not cancelled."""
    has_changed: bool = False
    """Whether the run has changed since the dialog was opened, so that nothing was sent."""

    @property
    def status(self) -> int:
        """The HTTP status of the response.

        200 for the question, 409 where the run has changed or the API reports a conflict, and
        422 for other failures.
        """
        if self.failure:
            return 409 if self.failure.error.status == 409 else 422
        return 409 if self.has_changed else 200
