"""What the dashboard itself keeps; work orders and runs belong to the runs API."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Self, cast

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import timezone

from workorders import request_id
from workorders.contract import RunOverrides, RunReference
from workorders.errors import RunsAPIError
from workorders.metrics.instruments import attempt_moved

EARLIER_KEPT = 20


class TriggerAttemptQuerySet(models.QuerySet["TriggerAttempt"]):
    def open(self, work_order_id: str) -> Self:
        """Those of a work order that may start a run at any moment, or have started one."""
        return self.filter(work_order_id=work_order_id, state__in=TriggerAttempt.OPEN)

    def of_run(self, run_id: str, work_order_id: str = "") -> Self:
        """The one that has started a run, with its user; the work order where it is known."""
        named = Q(run_id=run_id) | Q(provisional_run_id=run_id)
        of_order = Q(work_order_id=work_order_id) if work_order_id else Q()
        return self.filter(named & of_order).select_related("user")

    def newest_of(self, work_order_id: str) -> Self:
        """Every attempt to start a run of a work order, newest first, with their users."""
        found = self.filter(work_order_id=work_order_id).select_related("user")
        # It may be long, and no page shows it.
        return found.defer("known_run_ids").order_by("-created_at", "key")

    def run_ids(self, work_order_id: str) -> set[str]:
        """The runs that attempts of this work order have started."""
        found = self.filter(work_order_id=work_order_id).exclude(run_id="")
        return set(found.values_list("run_id", flat=True))


class TriggerAttempt(models.Model):
    """One opened dialog's intent to start a run, written before the API is called.

    The key is made when the dialog opens and travels with every retry, so a form
    that is sent again finds what became of it instead of starting another run.
    Every change of state is a conditional UPDATE: of any number of processes that
    carry the same key exactly one sends it. A row outlives the process that wrote
    it, so a start that was cut off by a crash is settled by whoever looks next.
    """

    class State(models.TextChoices):
        READY = "ready", "not sent, or refused: no run was started"
        SENDING = "sending", "a process waits for the answer"
        UNSETTLED = "unsettled", "the answer was lost"
        STARTED = "started", "a run exists"
        UNKNOWN = "unknown", "it could not be found out"

    OPEN = (State.SENDING, State.UNSETTLED)

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="trigger_attempts"
    )
    work_order_id = models.CharField(max_length=255)
    max_iterations = models.PositiveSmallIntegerField(null=True)
    profile_name = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=9, choices=State, default=State.READY)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    known_run_ids = models.JSONField(
        null=True, help_text="The work order's runs just before it was sent; null: it was not sent."
    )
    outcome = models.CharField(
        max_length=64,
        blank=True,
        help_text="started, queued, or the error code of the last answer; blank: none yet",
    )
    earlier = models.JSONField(
        default=list,
        help_text="What sending it before came to, oldest first: sentAt, outcome, apiRequestId.",
    )
    run_id = models.CharField(max_length=255, blank=True, db_index=True)
    run_number = models.PositiveIntegerField(null=True)
    provisional_run_id = models.CharField(
        max_length=255,
        blank=True,
        db_index=True,
        help_text="What the API called the run at first, where it did not keep to it.",
    )
    appeared = models.BooleanField(
        default=False, help_text="Whether the API has shown the run since it accepted it."
    )
    queue_position = models.PositiveIntegerField(null=True)
    request_id = models.CharField(max_length=64, blank=True, help_text="The dashboard's own.")
    api_request_id = models.CharField(max_length=255, blank=True)

    objects = TriggerAttemptQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = (("trigger_run", "Can trigger a run"),)
        indexes = (models.Index(fields=["work_order_id", "-created_at"], name="attempt_newest"),)
        constraints = (
            # While one start of a work order is open, a run that turns up is that one's.
            models.UniqueConstraint(
                fields=["work_order_id"],
                condition=Q(state__in=("sending", "unsettled")),
                name="one_open_attempt",
            ),
            models.UniqueConstraint(
                fields=["work_order_id", "run_id"],
                condition=~Q(provisional_run_id=""),
                name="one_attempt_a_found_run",
            ),
        )

    def __str__(self) -> str:
        return f"{self.work_order_id} by {self.user_id}: {self.state} {self.outcome}"

    @classmethod
    def work_order_of(cls, run_id: str) -> str:
        """The work order that a run was started for here; ``""`` when it was started elsewhere."""
        found = cls.objects.of_run(run_id).values_list("work_order_id", flat=True)
        return found.first() or ""

    @property
    def was_sent(self) -> bool:
        """Whether the API may have heard of it."""
        return self.known_run_ids is not None

    @property
    def may_be_found(self) -> bool:
        """Whether looking once more may tell what became of it."""
        return self.state in {*self.OPEN, self.State.UNKNOWN}

    @property
    def age(self) -> dt.timedelta:
        """Since it was sent; for ever when it was sent in the future, by a clock put back since."""
        if self.sent_at is None or self.sent_at > timezone.now() + dt.timedelta(seconds=5):
            return dt.timedelta.max
        return timezone.now() - self.sent_at

    @property
    def overrides(self) -> RunOverrides:
        return RunOverrides(self.max_iterations, self.profile_name)

    @property
    def run(self) -> RunReference | None:
        return RunReference(self.run_id, self.run_number) if self.run_id else None

    @property
    def duration(self) -> dt.timedelta | None:
        """From the request to what was known of it at last."""
        return self.settled_at - self.sent_at if self.sent_at and self.settled_at else None

    def claim(self, overrides: RunOverrides) -> bool:
        """Ready → sending; False when another request or another attempt was first."""
        try:
            with transaction.atomic():
                return self._move(
                    (self.State.READY,),
                    self.State.SENDING,
                    max_iterations=overrides.max_iterations,
                    profile_name=overrides.profile_name,
                    sent_at=timezone.now(),
                    settled_at=None,
                    known_run_ids=None,
                    earlier=self._history(),
                    outcome="",
                    api_request_id="",
                    request_id=request_id.current(),
                )
        except IntegrityError:  # another attempt of this work order is open
            return False

    def _history(self) -> list[dict[str, str]]:
        if not (self.outcome and self.sent_at):
            return list(self.earlier)
        last = {
            "sentAt": self.sent_at.isoformat(),
            "outcome": self.outcome,
            "apiRequestId": self.api_request_id,
        }
        return [*self.earlier[1 - EARLIER_KEPT :], last]

    def about_to_send(self, known_run_ids: Iterable[str]) -> bool:
        """From here on the API may have heard of it; False when the claim was lost meanwhile."""
        return self._move(
            (self.State.SENDING,),
            self.State.SENDING,
            sent_at=timezone.now(),
            known_run_ids=list(known_run_ids),
        )

    def release(self, error: RunsAPIError) -> bool:
        """No run was started, and the same key may be sent again."""
        return self._settle(self.State.READY, outcome=error.code, api_request_id=error.request_id)

    def lose_answer(self, error: RunsAPIError) -> bool:
        return self._move(
            (self.State.SENDING,),
            self.State.UNSETTLED,
            outcome=error.code,
            api_request_id=error.request_id,
        )

    def lose_if_older(self, age: dt.timedelta) -> bool:
        """Sending for longer than any answer may take: the process that sent it is gone."""
        return self.age >= age and self._move(
            (self.State.SENDING,), self.State.UNSETTLED, outcome="ABANDONED"
        )

    def start(
        self,
        outcome: str,
        run: RunReference | None,
        *,
        position: int | None = None,
        api_request_id: str = "",
        appeared: bool = False,
    ) -> bool:
        """A run exists, named or not: that is true whatever was thought of it meanwhile."""
        return self._move(
            (*self.OPEN, self.State.UNKNOWN, self.State.READY),
            self.State.STARTED,
            settled_at=timezone.now(),
            outcome=outcome,
            run_id=run.id if run else "",
            run_number=run.number if run else None,
            queue_position=position,
            appeared=appeared,
            api_request_id=api_request_id or self.api_request_id,
        )

    def name_run(self, run: RunReference) -> None:
        """Which run it is that was queued."""
        self._move((self.State.STARTED,), self.State.STARTED, run_id=run.id, run_number=run.number)

    def was_seen(self) -> None:
        """The API shows the run under the ID that it was started with."""
        TriggerAttempt.objects.filter(pk=self.pk, appeared=False).update(appeared=True)

    def appear_as(self, run: RunReference) -> bool:
        """The run that the API named provisionally is there, under another ID."""
        row = TriggerAttempt.objects.filter(pk=self.pk, state=self.State.STARTED, appeared=False)
        try:
            with transaction.atomic():
                moved = row.update(
                    run_id=run.id,
                    run_number=run.number,
                    provisional_run_id=self.run_id,
                    appeared=True,
                )
        except IntegrityError:  # another attempt's run, found by another request just now
            return False
        self.refresh_from_db()
        return moved > 0

    def give_up(self) -> bool:
        return self._settle(self.State.UNKNOWN)

    def _settle(self, state: "TriggerAttempt.State", **values: object) -> bool:
        return self._move(self.OPEN, state, settled_at=timezone.now(), **values)

    def _move(
        self,
        before: Iterable["TriggerAttempt.State"],
        after: "TriggerAttempt.State",
        **values: object,
    ) -> bool:
        """Only as this object knows the row: ``sent_at`` changes with every claim and send,
        so a process that woke up late cannot move what another has claimed since."""
        for name, value in values.items():
            if isinstance(value, str):  # another server's words may be longer than the column
                column = cast("models.CharField[str, str]", self._meta.get_field(name))
                values[name] = value[: column.max_length]
        row = TriggerAttempt.objects.filter(
            pk=self.pk, state__in=tuple(before), sent_at=self.sent_at
        )
        moved = row.update(state=after, **values) > 0
        if moved:
            attempt_moved(after, str(values.get("outcome", "")))
        self.refresh_from_db()
        return moved
