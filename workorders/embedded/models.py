"""The tables of the embedded runs API.

Runs are created in ``triggering``; every later change of a run's status is in ``transitions``.
"""

import datetime as dt
import secrets
from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone


class Status(models.TextChoices):
    """The status of a run. A work order has the same statuses, except ``building``."""

    QUEUED = "queued"
    BUILDING = "building"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


ACTIVE = (Status.BUILDING, Status.RUNNING)
FINAL = (Status.SUCCEEDED, Status.FAILED, Status.CANCELED)


def lease() -> dt.timedelta:
    """How long a worker counts as alive after its last heartbeat.

    Leases are measured by the database's clock alone (``Now()``), because the clocks of
    different hosts differ.
    """
    return dt.timedelta(seconds=settings.RUN_LEASE_SECONDS)


LONGEST_BEAT_SECONDS = 5.0


def beat_seconds() -> float:
    """Seconds between two heartbeats.

    Several heartbeats fit into one lease, so that a worker keeps its run when some of them get
    lost or the database is away for a while.
    """
    return min(settings.RUN_LEASE_SECONDS / 3, LONGEST_BEAT_SECONDS)


def new_work_order_id() -> str:
    """12 random URL-safe characters.

    The first character is a letter, because a command line would read a leading hyphen as the
    beginning of an option.
    """
    return secrets.choice("abcdefghijkmnpqrstuvwxyz") + secrets.token_urlsafe(9)[1:]


def new_run_id() -> str:
    """``run-`` and 12 random URL-safe characters."""
    return "run-" + secrets.token_urlsafe(9)


class WorkOrder(models.Model):
    """A task for an agent. ``status`` is derived from the runs, but ``canceled`` never changes."""

    id = models.CharField(primary_key=True, max_length=64, default=new_work_order_id)
    prompt = models.TextField()
    workspace_path = models.TextField()
    profile_name = models.CharField(max_length=64, blank=True)
    max_iterations = models.PositiveSmallIntegerField(null=True)
    max_time = models.PositiveIntegerField(null=True, help_text="Seconds for a whole run.")
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    run_count = models.PositiveIntegerField(default=0, help_text="Also the newest run's number.")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["created_at", "id"], name="work_order_newest"),
            models.Index(fields=["status", "created_at", "id"], name="work_order_status_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}: {self.prompt[:60]}"

    def derive_status(self) -> None:
        """Derive ``status`` from the runs and save it.

        Call this method after a run has changed, in the same transaction, with the row locked.
        """
        if self.status != Status.CANCELED:
            seen = set(self.runs.values_list("status", flat=True).distinct())
            if Status.SUCCEEDED in seen:
                self.status = Status.SUCCEEDED
            elif seen.intersection(ACTIVE):
                self.status = Status.RUNNING
            elif Status.FAILED in seen:
                self.status = Status.FAILED
            else:
                self.status = Status.QUEUED
        self.updated_at = timezone.now()
        self.save(update_fields=["status", "updated_at"])


class RunQuerySet(models.QuerySet["Run"]):
    def queued(self) -> Self:
        """Queued runs, oldest first: the order in which the workers take them."""
        return self.filter(status=Status.QUEUED).order_by("queued_at", "id")

    def active(self) -> Self:
        return self.filter(status__in=ACTIVE)

    def expired(self) -> Self:
        """Active runs whose lease has ended because their worker sends no heartbeats any more."""
        return self.active().filter(lease_until__lt=Now())

    def eligible(self) -> Self:
        """Queued runs that may start: no other run of their work order is active."""
        blocking = Run.objects.active().filter(work_order=OuterRef("work_order"))
        return self.queued().filter(~Exists(blocking))

    def held_by(self, run_id: str, token: str) -> Self:
        """The run, while the worker with this token may write to it; nothing once it may not.

        Every write of a worker is filtered by this, so that a worker which has lost its run
        changes nothing.
        """
        return self.active().filter(pk=run_id, worker_token=token)

    def newest_first(self) -> Self:
        return self.order_by("-queued_at", "-id")


class Run(models.Model):
    """One execution of a work order.

    The name of the profile and the limits are fixed when the run is triggered. The profile's
    commands are not stored; the worker reads them when the run starts.

    ``max_time`` is in seconds and ``log_size`` in bytes. ``started_at`` and ``completed_at`` are
    null until the run starts and ends. ``overrides`` is the JSON body of the request that
    triggered the run. ``error`` is ``""`` unless the run has failed or was not started.
    ``worker_token`` and ``lease_until`` name the worker that executes the run, and when its lease
    ends by the database's clock. ``request_hash`` is ``Trigger.fingerprint``.
    """

    id = models.CharField(primary_key=True, max_length=64, default=new_run_id)
    work_order = models.ForeignKey(WorkOrder, models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=9, choices=Status, default=Status.QUEUED)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    profile_name = models.CharField(max_length=64)
    max_iterations = models.PositiveSmallIntegerField()
    max_time = models.PositiveIntegerField()
    overrides = models.JSONField(default=dict)
    iteration_count = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    log_size = models.PositiveBigIntegerField(default=0)
    triggered_by = models.CharField(
        max_length=64, blank=True, help_text="The name of the API key; empty: the server's own."
    )
    imported = models.BooleanField(default=False, help_text="History: never executed here.")

    worker_token = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)

    idempotency_key = models.CharField(max_length=255, null=True, unique=True)  # noqa: DJ001 (NULLs are not equal)
    request_hash = models.CharField(max_length=64, blank=True)
    answered_position = models.PositiveIntegerField(
        null=True, help_text="The queue position told when no slot was free; for replays."
    )

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["work_order", "number"], name="run_number"),
            models.UniqueConstraint(
                fields=["work_order"], condition=Q(status__in=ACTIVE), name="one_active_run"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["queued_at", "id"], name="run_newest"),
            models.Index(fields=["status", "queued_at", "id"], name="run_queue"),
        ]

    def __str__(self) -> str:
        return f"Run #{self.number} of {self.work_order_id}"


class Iteration(models.Model):
    """One round of a run: the agent's command, then the verification.

    An exit code is null until its command has ended, and for a command that was not started.
    """

    class Status(models.TextChoices):
        RUNNING = "running"
        PASSED = "passed"
        FAILED = "failed"

    run = models.ForeignKey(Run, models.CASCADE, related_name="iterations")
    number = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=7, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True)
    agent_exit_code = models.IntegerField(null=True)
    verify_exit_code = models.IntegerField(null=True)
    verify_output = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "number"], name="iteration_number")
        ]

    def __str__(self) -> str:
        return f"Iteration {self.number} of {self.run_id}"


class LogChunk(models.Model):
    """A piece of a run's log.

    Logs are kept in the database, so that workers may run on other machines than the web server.
    ``offset`` is the position of the first byte of ``data`` in the log.
    """

    MAX_BYTES = 65_536

    run = models.ForeignKey(Run, models.CASCADE, related_name="log_chunks")
    offset = models.PositiveBigIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "offset"], name="log_chunk_offset")
        ]

    def __str__(self) -> str:
        return f"Log of {self.run_id} from {self.offset}"


class APIKey(models.Model):
    """A named key for this API; see ``api_keys``. Only the hash of the key is stored."""

    class Scope(models.TextChoices):
        """What a key may do; ``api_keys.ALLOWED`` lists the scopes that each scope includes."""

        READ = "read"
        TRIGGER = "trigger"
        ALL = "all"

    name = models.CharField(
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"^[A-Za-z0-9._-]+$", "A name is letters, digits, . _ and -.")],
    )
    key_hash = models.CharField(max_length=64, unique=True, help_text="SHA-256.")
    scope = models.CharField(max_length=7, choices=Scope)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class WorkerQuerySet(models.QuerySet["Worker"]):
    def live(self) -> Self:
        """Workers whose last heartbeat is no older than a lease."""
        return self.filter(seen_at__gt=Now() - lease())


class Worker(models.Model):
    """The heartbeat of one worker process. Every live worker is a slot for one run."""

    token = models.CharField(primary_key=True, max_length=64)
    name = models.CharField(max_length=255)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    not_isolated = models.TextField(  # noqa: DJ001 (unknown is not the same as isolated)
        null=True, help_text="Why its commands are not isolated; empty: they are."
    )

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
