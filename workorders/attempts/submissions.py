"""What an attempt's form was sent with, each time, and what came of it."""

import datetime as dt

from django.db import models

from workorders.runs_api.schemas import RunOverrides

EARLIER_KEPT = 20
"""How many earlier submissions of one form are kept."""


class Submission(models.Model):
    """One submission of the form of an attempt: what was asked for, and what came of it."""

    max_iterations = models.PositiveSmallIntegerField(null=True)
    profile_name = models.CharField(max_length=255, blank=True)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(
        max_length=64,
        blank=True,
        help_text="started, queued, or the error code of the last answer; blank: none yet",
    )
    request_id = models.CharField(max_length=64, blank=True, help_text="The dashboard's own.")
    api_request_id = models.CharField(max_length=255, blank=True)

    class Meta:
        abstract = True

    @property
    def overrides(self) -> RunOverrides:
        return RunOverrides(self.max_iterations, self.profile_name)

    @property
    def duration(self) -> dt.timedelta | None:
        """The time from the request to the final state; ``None`` while either is missing."""
        return self.settled_at - self.sent_at if self.sent_at and self.settled_at else None


class EarlierSubmission(Submission):
    """A submission after which the same form was sent again. The rows of an attempt are in the
    order of the submissions."""

    attempt = models.ForeignKey(
        "workorders.TriggerAttempt", on_delete=models.CASCADE, related_name="earlier_submissions"
    )

    class Meta:
        default_permissions = ()
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.attempt_id}: {self.outcome}"

    def save_newest(self) -> None:
        """Store the submission as the newest of its attempt. ``EARLIER_KEPT`` of them are kept."""
        self.save()
        surplus = self.attempt.earlier_submissions.order_by("-pk")[EARLIER_KEPT:]
        EarlierSubmission.objects.filter(pk__in=surplus.values("pk")).delete()
