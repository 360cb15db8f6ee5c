"""The audit trail: one row for each attempt to start a run, with its outcome."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Self, cast

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from workorders.attempts.submissions import EarlierSubmission, Submission
from workorders.runs_api.schemas import RunReference

OTHER_RUN_NAMED = "OTHER_RUN_NAMED"
"""The outcome of an attempt that the API accepted with a response about another run."""
WITHDRAWN = "WITHDRAWN"
"""The outcome of an attempt whose dialog was closed before its form had reached the dashboard.
The key of such an attempt never starts a run, even if the form arrives late."""


class TriggerAttemptQuerySet(models.QuerySet["TriggerAttempt"]):
    def open(self, work_order_id: str) -> Self:
        """The work order's attempts in flight: each may have started a run already, or may yet."""
        return self.filter(work_order_id=work_order_id, state__in=TriggerAttempt.OPEN)

    def named_by_response(self, run_id: str) -> Self:
        """Attempts of any work order for which a response has named this run."""
        named = Q(run_id=run_id, run_source=TriggerAttempt.RunSource.RESPONSE)
        return self.filter(named | Q(provisional_run_id=run_id))

    def naming(self, run_id: str) -> Self:
        """Attempts that a response or a search has linked to this run, rightly or not."""
        named = Q(run_id=run_id) | Q(provisional_run_id=run_id)
        return self.filter(named).select_related("user")

    def of_run(self, run_id: str, work_order_id: str = "") -> Self:
        """The attempt that has started this run, with its user.

        ``work_order_id`` narrows the search; empty when the caller does not know the work order.
        """
        of_order = Q(work_order_id=work_order_id) if work_order_id else Q()
        return self.naming(run_id).filter(of_order).exclude(state=TriggerAttempt.State.UNRESOLVED)

    def newest_of(self, work_order_id: str) -> Self:
        """Every attempt to start a run of a work order, newest first, as lists show them."""
        found = self.filter(work_order_id=work_order_id).select_related("user")
        # The list of known runs may be long, and no page shows it.
        return found.defer("known_run_ids").order_by("-created_at", "key")

    def unconfirmed(self, work_order_id: str) -> Self:
        """The work order's attempts whose run may still turn up in its list of runs."""
        unseen = Q(state=TriggerAttempt.State.STARTED, run_confirmed_at=None, run_number=None)
        lost = Q(state__in=(TriggerAttempt.State.UNCONFIRMED, TriggerAttempt.State.UNRESOLVED))
        return self.filter(unseen | lost, work_order_id=work_order_id)

    def run_ids(self, work_order_id: str) -> set[str]:
        """The IDs of the runs that attempts of this work order have started."""
        found = self.filter(work_order_id=work_order_id).exclude(run_id="")
        return set(found.values_list("run_id", flat=True))

    def others_of(self, attempt: "TriggerAttempt", run_id: str) -> Self:
        """Other attempts of the attempt's work order that have started this run."""
        found = self.filter(work_order_id=attempt.work_order_id, run_id=run_id)
        return found.exclude(pk=attempt.pk)


class TriggerAttempt(Submission):
    """One opened dialog's intent to start a run, written before the API is called.

    ``key`` is made when the dialog opens and is the ``Idempotency-Key`` of the request. Every
    retry carries the same key, so a form that is sent again leads to the outcome of the first
    submission instead of a second run. The row holds the latest submission, on which the
    conditional UPDATEs of ``workorders.attempts.transitions`` depend: of all processes that carry
    the same key, exactly one sends the request. ``EarlierSubmission`` holds those before. The row
    outlives its process: a start that a crash has interrupted is reconciled by the next request
    that reads the row.
    """

    class State(models.TextChoices):
        PENDING = "pending", "not sent, or refused: no run was started"
        SENT = "sent", "a process waits for the answer"
        UNCONFIRMED = "unconfirmed", "the answer was lost"
        STARTED = "started", "a run exists"
        UNRESOLVED = "unresolved", "it could not be found out"

    class RunSource(models.TextChoices):
        """How the attempt got its ``run_id``."""

        RESPONSE = "response", "a response of the API names the run"
        RECONCILED = "reconciled", "a search of the work order's runs has found the run"

    OPEN = (State.SENT, State.UNCONFIRMED)

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="trigger_attempts"
    )
    work_order_id = models.CharField(max_length=255)
    state = models.CharField(max_length=11, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)
    lost_at = models.DateTimeField(null=True, help_text="When its answer was given up.")
    was_sent = models.BooleanField(
        default=False, help_text="Whether the API may have heard of it since it was last claimed."
    )
    was_resent = models.BooleanField(
        default=False, help_text="Whether there are earlier submissions; saves looking for them."
    )
    known_run_ids = models.JSONField(
        null=True,
        help_text="The work order's runs just before it was sent; null: not told, or not sent.",
    )
    next_run_number = models.PositiveIntegerField(
        null=True,
        help_text="The number of a run that is started next, just before it was sent; "
        "null: not certain.",
    )
    run_id = models.CharField(max_length=255, blank=True, db_index=True)
    run_number = models.PositiveIntegerField(null=True)
    provisional_run_id = models.CharField(
        max_length=255,
        blank=True,
        db_index=True,
        help_text="What the API called the run at first, where it did not keep to it.",
    )
    run_source = models.CharField(
        max_length=10,
        choices=RunSource,
        blank=True,
        help_text="What has linked run_id to the attempt; blank: no run is linked.",
    )
    run_confirmed_at = models.DateTimeField(
        null=True, help_text="When the API had shown the run; null: not yet."
    )
    queue_position = models.PositiveIntegerField(null=True)
    appearance = ""
    """The result of the last search for an accepted run that the API has not shown yet: a value
    of ``Appearance``, or empty when no search was made. Not stored in the database."""

    objects = TriggerAttemptQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = (("trigger_run", "Can trigger a run"),)
        indexes = (models.Index(fields=["work_order_id", "-created_at"], name="attempt_newest"),)
        constraints = (
            # At most one attempt per work order is in flight, so a new run can be attributed.
            models.UniqueConstraint(
                fields=["work_order_id"],
                condition=Q(state__in=("sent", "unconfirmed")),
                name="one_open_attempt",
            ),
            models.UniqueConstraint(
                fields=["work_order_id", "run_id"],
                condition=Q(run_source="reconciled"),
                name="one_attempt_a_found_run",
            ),
            models.UniqueConstraint(
                fields=["work_order_id", "run_id"],
                condition=Q(run_source="response"),
                name="one_attempt_a_named_run",
            ),
            # A run without a source would escape the two constraints above.
            models.CheckConstraint(
                condition=Q(run_id="", run_source="") | ~Q(run_id="") & ~Q(run_source=""),
                name="run_has_source",
            ),
        )

    def __str__(self) -> str:
        return f"{self.work_order_id} by {self.user_id}: {self.state} {self.outcome}"

    @classmethod
    def work_order_of(cls, run_id: str) -> str:
        """The ID of the run's work order; ``""`` when no attempt has started the run."""
        found = cls.objects.of_run(run_id).values_list("work_order_id", flat=True)
        return found.first() or ""

    @property
    def may_be_found(self) -> bool:
        """Whether another reconciliation may change the state of this attempt."""
        return self.state in {*self.OPEN, self.State.UNRESOLVED}

    @property
    def names_other_run(self) -> bool:
        """Whether the API accepted the attempt with a response about another run."""
        return self.outcome == OTHER_RUN_NAMED

    def started_run(self, run_id: str) -> bool:
        """Whether the row says that this attempt has started that run."""
        return self.state == self.State.STARTED and self.run_id == run_id

    @property
    def is_unconfirmed(self) -> bool:
        """Whether the run of this attempt may still turn up in the work order's list of runs."""
        if self.state == self.State.STARTED:
            return not self.is_seen
        return self.state in {self.State.UNCONFIRMED, self.State.UNRESOLVED}

    @property
    def age(self) -> dt.timedelta:
        """The time since the request was sent."""
        return _since(self.sent_at)

    @property
    def lost_for(self) -> dt.timedelta:
        """The time since the dashboard stopped waiting for the response."""
        return _since(self.lost_at or self.sent_at)

    @property
    def run(self) -> RunReference | None:
        return RunReference(self.run_id, self.run_number) if self.run_id else None

    @property
    def is_seen(self) -> bool:
        """Whether the run is known to exist: the API has shown the run, or numbered it reliably."""
        return self.run_confirmed_at is not None or self.run_number is not None

    def as_earlier(self) -> "EarlierSubmission":
        """The latest submission as an earlier one, which is not stored yet."""
        names = [field.name for field in Submission._meta.get_fields()]  # noqa: SLF001
        values = {name: getattr(self, name) for name in names}
        return EarlierSubmission(attempt=self, **values)

    @classmethod
    def cut_to_columns(cls, values: Mapping[str, object]) -> dict[str, object]:
        """Values by field name, with text cut to the column: text of an API may be too long."""
        fitting = dict(values)
        for name, value in values.items():
            if isinstance(value, str):
                column = cast("models.CharField[str, str]", cls._meta.get_field(name))
                fitting[name] = value[: column.max_length]
        return fitting


def _since(timestamp: dt.datetime | None) -> dt.timedelta:
    """The time since ``timestamp``; ``timedelta.max`` when there is no usable timestamp.

    A timestamp in the future means that the clock was set back.
    """
    if timestamp is None or timestamp > timezone.now() + dt.timedelta(seconds=5):
        return dt.timedelta.max
    return timezone.now() - timestamp
