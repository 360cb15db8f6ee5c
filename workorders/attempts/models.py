"""The audit trail: one row for each attempt to start a run, with its outcome."""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Self, cast

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Case, Exists, F, Q, Value, When
from django.utils import timezone

from workorders.errors import RunsAPIError
from workorders.observability import request_id
from workorders.observability.metrics import attempt_moved
from workorders.runs_api.schemas import RunOverrides, RunReference

EARLIER_KEPT = 20
"""How many earlier submissions of one form the row keeps."""
OTHER_RUN_NAMED = "OTHER_RUN_NAMED"
"""The outcome of an attempt that the API accepted with a response about another run."""
WITHDRAWN = "WITHDRAWN"
"""The outcome of an attempt whose dialog was closed before its form had reached the dashboard.
The key of such an attempt never starts a run, even if the form arrives late."""


class TriggerAttemptQuerySet(models.QuerySet["TriggerAttempt"]):
    def open(self, work_order_id: str) -> Self:
        """The work order's attempts in flight: each may have started a run already, or may yet."""
        return self.filter(work_order_id=work_order_id, state__in=TriggerAttempt.OPEN)

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
        """Every attempt to start a run of a work order, newest first, with their users."""
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


class TriggerAttempt(models.Model):
    """One opened dialog's intent to start a run, written before the API is called.

    ``key`` is made when the dialog opens and is the ``Idempotency-Key`` of the request. Every
    retry carries the same key, so a form that is sent again leads to the outcome of the first
    submission instead of a second run. Every change of state is a conditional UPDATE: of all
    processes that carry the same key, exactly one sends the request. The row outlives its
    process: a start that a crash has interrupted is reconciled by the next request that reads
    the row. docs/architecture.md shows the states and transitions.
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
    max_iterations = models.PositiveSmallIntegerField(null=True)
    profile_name = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=11, choices=State, default=State.PENDING)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True, help_text="When its answer was given up.")
    settled_at = models.DateTimeField(null=True)
    was_sent = models.BooleanField(
        default=False, help_text="Whether the API may have heard of it since it was last claimed."
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
    outcome = models.CharField(
        max_length=64,
        blank=True,
        help_text="started, queued, or the error code of the last answer; blank: none yet",
    )
    earlier = models.JSONField(
        default=list,
        help_text="What sending it before came to, oldest first: see _history.",
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
    request_id = models.CharField(max_length=64, blank=True, help_text="The dashboard's own.")
    api_request_id = models.CharField(max_length=255, blank=True)

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
    def overrides(self) -> RunOverrides:
        return RunOverrides(self.max_iterations, self.profile_name)

    @property
    def run(self) -> RunReference | None:
        return RunReference(self.run_id, self.run_number) if self.run_id else None

    @property
    def is_seen(self) -> bool:
        """Whether the run is known to exist: the API has shown the run, or numbered it reliably."""
        return self.run_confirmed_at is not None or self.run_number is not None

    @property
    def duration(self) -> dt.timedelta | None:
        """The time from the request to the final state; ``None`` while either is missing."""
        return self.settled_at - self.sent_at if self.sent_at and self.settled_at else None

    def claim(self, overrides: RunOverrides) -> bool:
        """PENDING → SENT, before the request goes out.

        Returns False when another process has claimed this attempt, or when another attempt of
        the work order is in flight.
        """
        try:
            with transaction.atomic():
                return self._move_where(
                    self._may_be_claimed(),
                    self.State.SENT,
                    max_iterations=overrides.max_iterations,
                    profile_name=overrides.profile_name,
                    sent_at=timezone.now(),
                    lost_at=None,
                    settled_at=None,
                    was_sent=False,
                    known_run_ids=None,
                    next_run_number=None,
                    earlier=self._history(),
                    outcome="",
                    api_request_id="",
                    request_id=request_id.current(),
                )
        except IntegrityError:  # another attempt of this work order is open
            return False

    def reject(self, overrides: RunOverrides, error: RunsAPIError) -> bool:
        """Record a refusal that came before any claim. The attempt stays PENDING."""
        return self._move_where(
            self._may_be_claimed(),
            self.State.PENDING,
            max_iterations=overrides.max_iterations,
            profile_name=overrides.profile_name,
            sent_at=None,
            settled_at=None,
            earlier=self._history(),
            outcome=error.code,
            api_request_id="",
            request_id=request_id.current(),
        )

    def _may_be_claimed(self) -> Q:
        return Q(state=self.State.PENDING) & ~Q(outcome=WITHDRAWN)

    def _history(self) -> list[dict[str, object]]:
        """The value of ``earlier`` after the present submission is added, oldest first.

        Each item has ``sentAt`` (ISO 8601; null: not sent), ``outcome``, ``maxIterations``
        (null: not set), ``profileName``, ``durationSeconds`` (null: not settled), ``requestId``
        and ``apiRequestId``.
        """
        if not self.outcome:
            return list(self.earlier)
        last = {
            "sentAt": self.sent_at.isoformat() if self.sent_at else None,
            "outcome": self.outcome,
            "maxIterations": self.max_iterations,
            "profileName": self.profile_name,
            "durationSeconds": self.duration.total_seconds() if self.duration else None,
            "requestId": self.request_id,
            "apiRequestId": self.api_request_id,
        }
        return [*self.earlier[1 - EARLIER_KEPT :], last]

    def mark_sent(self, known_run_ids: Iterable[str] | None, next_run_number: int | None) -> bool:
        """Record that the API may receive the request from now on.

        Returns False when another process has taken this attempt over since the claim.

        Args:
            known_run_ids: the IDs of the work order's runs; ``None``: the API did not list them.
            next_run_number: the number that the next run gets; ``None``: not certain.
        """
        return self._move(
            (self.State.SENT,),
            self.State.SENT,
            sent_at=timezone.now(),
            was_sent=True,
            known_run_ids=None if known_run_ids is None else list(known_run_ids),
            next_run_number=next_run_number,
        )

    def release(self, error: RunsAPIError) -> bool:
        """SENT or UNCONFIRMED → PENDING: no run was started, and the key may be sent again."""
        return self._settle(self.State.PENDING, outcome=error.code, api_request_id=error.request_id)

    def mark_unconfirmed(self, error: RunsAPIError) -> bool:
        """SENT → UNCONFIRMED: no response has arrived, or one that proves nothing."""
        return self._move(
            (self.State.SENT,),
            self.State.UNCONFIRMED,
            lost_at=timezone.now(),
            outcome=error.code,
            api_request_id=error.request_id,
        )

    def record_inconclusive(self, error: RunsAPIError) -> bool:
        """Record that the response to the repeated request has proved nothing either."""
        return self._move(
            (self.State.UNCONFIRMED,),
            self.State.UNCONFIRMED,
            outcome=error.code,
            api_request_id=error.request_id,
        )

    def note_other_run(self, api_request_id: str) -> bool:
        """Record that the API accepted the request with a response about another run.

        The outcome RUN_ALREADY_ACTIVE is kept: it forbids attributing a run by search.
        """
        error = RunsAPIError(code=OTHER_RUN_NAMED, request_id=api_request_id)
        if self.state == self.State.SENT:
            return self.mark_unconfirmed(error)
        return self.outcome != "RUN_ALREADY_ACTIVE" and self.record_inconclusive(error)

    def expire(self, age: dt.timedelta) -> bool:
        """SENT → UNCONFIRMED once no response can arrive any more: the sending process is gone."""
        return self.age >= age and self._move(
            (self.State.SENT,),
            self.State.UNCONFIRMED,
            lost_at=self.sent_at and self.sent_at + age,
            outcome="ABANDONED",
        )

    def start(
        self,
        outcome: str,
        run: RunReference | None,
        *,
        position: int | None = None,
        api_request_id: str = "",
    ) -> bool:
        """Move to STARTED: the API's response says that a run exists.

        A response outranks a search. Other attempts that a search has linked to ``run`` lose
        the run here. A numbered run in a response also replaces the run that a search has linked
        to this attempt; an ID without a number does not, because no run may have that ID.
        ``workorders.trigger_run.start_proof`` decides beforehand whether the run belongs to
        this attempt.

        Args:
            outcome: "started" or "queued".
            run: ``None`` when the response names no run.
            position: the run's place in the queue, from 1; ``None``: not given.

        Raises:
            IntegrityError: a response has named this run for another attempt before.
        """
        before = (*self.OPEN, self.State.UNRESOLVED, self.State.PENDING)
        may_move = Q(state__in=before)
        if run and run.number:
            may_move |= Q(state=self.State.STARTED, run_source=self.RunSource.RECONCILED)
        with transaction.atomic():
            if run:
                self._others_of(run.id).filter(run_source=self.RunSource.RECONCILED).update(
                    state=Case(
                        When(
                            outcome="started",
                            provisional_run_id="",
                            then=Value(self.State.UNRESOLVED),
                        ),
                        default=Value(self.State.STARTED),
                    ),
                    run_source=Case(
                        When(provisional_run_id="", then=Value("")),
                        default=Value(self.RunSource.RESPONSE),
                    ),
                    run_id=F("provisional_run_id"),
                    run_number=None,
                    run_confirmed_at=None,
                    provisional_run_id="",
                )
            return self._move_where(
                may_move,
                self.State.STARTED,
                settled_at=timezone.now(),
                outcome=outcome,
                run_id=run.id if run else "",
                run_number=run.number if run else None,
                run_source=self.RunSource.RESPONSE if run else "",
                run_confirmed_at=None,
                queue_position=position,
                api_request_id=api_request_id or self.api_request_id,
            )

    def link_run(self, run: RunReference) -> bool:
        """Link a run that a search has attributed to this attempt, and move to STARTED.

        The response was lost, named no run, or named the run by another ID. Returns False when
        another attempt has this run.
        """
        is_free = Q(~Exists(self._others_of(run.id)))
        if self.state == self.State.STARTED:
            may_move = Q(state=self.State.STARTED, run_id=self.run_id, run_confirmed_at=None)
            result = {"outcome": self.outcome, "settled_at": self.settled_at}
        else:
            may_move = Q(state__in=(*self.OPEN, self.State.UNRESOLVED))
            result = {"outcome": "started", "settled_at": timezone.now()}
        try:
            with transaction.atomic():
                return self._move_where(
                    may_move & is_free,
                    self.State.STARTED,
                    run_id=run.id,
                    run_number=run.number,
                    provisional_run_id=self.run_id or self.provisional_run_id,
                    run_source=self.RunSource.RECONCILED,
                    run_confirmed_at=timezone.now(),
                    **result,
                )
        except IntegrityError:  # another request has just linked this run to another attempt
            return False

    def confirm_run(self, run_number: int | None) -> None:
        """Record that the API shows the run by the ID of the response, and the run's number."""
        now, number = timezone.now(), run_number or self.run_number
        row = TriggerAttempt.objects.filter(pk=self.pk, run_id=self.run_id, run_confirmed_at=None)
        if row.update(run_confirmed_at=now, run_number=number):
            self.run_confirmed_at, self.run_number = now, number

    def disown(self) -> None:
        """STARTED → UNRESOLVED: the run that the response named is not the run of this attempt."""
        self._move_where(
            Q(state=self.State.STARTED, run_id=self.run_id, run_confirmed_at=None),
            self.State.UNRESOLVED,
            outcome=OTHER_RUN_NAMED,
            provisional_run_id=self.run_id,
            run_id="",
            run_source="",
            run_number=None,
            queue_position=None,
        )

    def mark_unresolved(self) -> bool:
        """SENT or UNCONFIRMED → UNRESOLVED: reconciliation has found no certain outcome."""
        return self._settle(self.State.UNRESOLVED)

    def _settle(self, state: "TriggerAttempt.State", **values: object) -> bool:
        return self._move(self.OPEN, state, settled_at=timezone.now(), **values)

    def is_named_to_another(self, run_id: str) -> bool:
        """Whether a response has named this run for another attempt of any work order."""
        named = Q(run_id=run_id, run_source=self.RunSource.RESPONSE) | Q(provisional_run_id=run_id)
        return TriggerAttempt.objects.filter(named).exclude(pk=self.pk).exists()

    def _others_of(self, run_id: str) -> TriggerAttemptQuerySet:
        """Other attempts of this work order that have started this run."""
        found = TriggerAttempt.objects.filter(work_order_id=self.work_order_id, run_id=run_id)
        return found.exclude(pk=self.pk)

    def _move(
        self,
        before: Iterable["TriggerAttempt.State"],
        after: "TriggerAttempt.State",
        **values: object,
    ) -> bool:
        return self._move_where(Q(state__in=tuple(before)), after, **values)

    def _move_where(self, may_move: Q, after: "TriggerAttempt.State", **values: object) -> bool:
        """Move to ``after`` if the row fulfils ``may_move``, and reload the row.

        Optimistic lock on ``sent_at``: every claim and every send changes ``sent_at``, so a stale
        process updates no row. Returns whether the row was updated.
        """
        for name, value in values.items():
            if isinstance(value, str):  # values from the API may be longer than the column
                column = cast("models.CharField[str, str]", self._meta.get_field(name))
                values[name] = value[: column.max_length]
        row = TriggerAttempt.objects.filter(may_move, pk=self.pk, sent_at=self.sent_at)
        before = self.state
        moved = row.update(state=after, **values) > 0
        if moved and after != before:
            attempt_moved(after, str(values.get("outcome", "")))
        self.refresh_from_db()
        return moved


def _since(timestamp: dt.datetime | None) -> dt.timedelta:
    """The time since ``timestamp``; ``timedelta.max`` when there is no usable timestamp.

    A timestamp in the future means that the clock was set back.
    """
    if timestamp is None or timestamp > timezone.now() + dt.timedelta(seconds=5):
        return dt.timedelta.max
    return timezone.now() - timestamp
