"""Which attempts a question is about."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from workorders.attempts.models import TriggerAttempt


class TriggerAttemptQuerySet(models.QuerySet["TriggerAttempt"]):
    def open(self, work_order_id: str) -> Self:
        """The work order's attempts in flight: each may have started a run already, or may yet."""
        return self.filter(work_order_id=work_order_id, state__in=self.model.OPEN)

    def named_by_response(self, run_id: str) -> Self:
        """Attempts of any work order for which a response has named this run."""
        named = Q(run_id=run_id, run_source=self.model.RunSource.RESPONSE)
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
        return self.naming(run_id).filter(of_order).exclude(state=self.model.State.UNRESOLVED)

    def newest_of(self, work_order_id: str) -> Self:
        """Every attempt to start a run of a work order, newest first, with all that pages show."""
        found = self.filter(work_order_id=work_order_id).select_related("user")
        # The list of known runs may be long, and no page shows it.
        return (
            found.defer("known_run_ids")
            .prefetch_related("earlier_submissions")
            .order_by("-created_at", "key")
        )

    def unconfirmed(self, work_order_id: str) -> Self:
        """The work order's attempts whose run may still turn up in its list of runs."""
        unseen = Q(state=self.model.State.STARTED, run_confirmed_at=None, run_number=None)
        lost = Q(state__in=(self.model.State.UNCONFIRMED, self.model.State.UNRESOLVED))
        return self.filter(unseen | lost, work_order_id=work_order_id)

    def run_ids(self, work_order_id: str) -> set[str]:
        """The IDs of the runs that attempts of this work order have started."""
        found = self.filter(work_order_id=work_order_id).exclude(run_id="")
        return set(found.values_list("run_id", flat=True))

    def others_of(self, attempt: "TriggerAttempt", run_id: str) -> Self:
        """Other attempts of the attempt's work order that have started this run."""
        found = self.filter(work_order_id=attempt.work_order_id, run_id=run_id)
        return found.exclude(pk=attempt.pk)
