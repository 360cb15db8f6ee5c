"""Which run of its work order an attempt has started, told by what the API lists and shows.

Where no answer has named the run, one that was not there before the request, is of its time
and has its options is the one, if there is only one and no other attempt may have started it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from workorders.attempts.appearance import Appearance
from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import Run, RunOverrides, RunReference, WorkOrder

State = TriggerAttempt.State

IN_THE_WAY = "RUN_ALREADY_ACTIVE"
"""May be said of the first request's own run: by an API that writes the key down after the run."""
APPEARS_WITHIN = dt.timedelta(minutes=1)
"""How long after its request a run that was accepted is waited for."""
CLOCKS_APART = dt.timedelta(seconds=60)
"""How far the API's clock may be from ours when a run's time is compared with the request's."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The work order's runs that an attempt may have started, and no other one has."""

    new: tuple[Run, ...]
    may_be_others: bool
    """Whether they may be another attempt's, or older than this one."""

    @property
    def the_run(self) -> Run | None:
        """The one that can only be the attempt's: one of several could be anybody's."""
        return self.new[0] if len(self.new) == 1 and not self.may_be_others else None


def find_candidates(client: RunsClient, attempt: TriggerAttempt) -> Candidates:
    """Raises ``RunsAPIError`` when the work order cannot be read.

    In this order: what another attempt has started since the runs were read is not among
    them, and one that gets its answer meanwhile is seen to wait, or to have its run.
    """
    return candidates_in(client.get_work_order(attempt.work_order_id), attempt)


def candidates_in(work_order: WorkOrder, attempt: TriggerAttempt) -> Candidates:
    runs = [run for run in work_order.runs if run.work_order_id == attempt.work_order_id]
    if not any(_may_be_of(run, attempt) for run in runs):
        return Candidates((), may_be_others=False)
    others_wait = _others_wait(runs, attempt)
    known = {*(attempt.known_run_ids or ()), attempt.provisional_run_id}  # disowned, not its own
    known |= TriggerAttempt.objects.run_ids(attempt.work_order_id)
    new = tuple(run for run in runs if run.id not in known and _may_be_of(run, attempt))
    # Where nothing is known of what was there before, they may be as old as the work order.
    cannot_tell = attempt.known_run_ids is None or attempt.outcome == IN_THE_WAY
    return Candidates(new, bool(new) and (cannot_tell or others_wait))


def appearance(attempt: TriggerAttempt, found: Candidates) -> Appearance:
    is_late = attempt.age > APPEARS_WITHIN
    if len(found.new) > 1 or (found.new and is_late):
        return Appearance.SEVERAL
    return Appearance.MISSING if is_late else Appearance.WAITING


def confirm(attempt: TriggerAttempt, run: Run, *, is_of_work_order: bool) -> bool:
    """The API shows the run that an attempt was answered with; whether it can be that one's.

    ``is_of_work_order``: the run itself or its work order says that they belong together. False
    is returned for another run, which has nothing to do with the attempt from then on. It stays
    accepted where neither is certain.
    """
    if run.work_order_id not in {"", attempt.work_order_id} or _is_numbered_before(run, attempt):
        attempt.disown()
        return False
    if is_of_work_order and (attempt.known_run_ids is not None or attempt.sent_at is None):
        attempt.was_seen(run.number)
        return True
    # The work order's earlier runs are not known, or the run may be another work order's, but a
    # run tells when it began.
    began = run.queued_at or run.started_at
    if began is None or attempt.sent_at is None:
        return True
    if began < attempt.sent_at - CLOCKS_APART:
        attempt.disown()
        return False
    if is_of_work_order and began >= attempt.sent_at:
        attempt.was_seen(run.number)
    return True


def _is_numbered_before(run: Run, attempt: TriggerAttempt) -> bool:
    """Lists of runs may be cut: a run that was there before need not be among the known ones."""
    return None not in {run.number, attempt.next_run_number} and (
        (run.number or 0) < (attempt.next_run_number or 0)
    )


def _others_wait(runs: Sequence[Run], attempt: TriggerAttempt) -> bool:
    """Whether a run that is new here may be another attempt's: one whose answer is not there
    yet, or one of about the same time that was accepted under an ID that is not listed, or of
    which nothing could be found out."""
    if attempt.sent_at is None:
        return False
    others = TriggerAttempt.objects.filter(work_order_id=attempt.work_order_id).exclude(
        pk=attempt.pk
    )
    # A run may be so far from the request of either.
    near = (attempt.sent_at - 2 * CLOCKS_APART, attempt.sent_at + 2 * CLOCKS_APART)
    unlisted = Q(state=State.STARTED, appeared=False) & ~Q(run_id__in=[run.id for run in runs])
    settled = (unlisted | Q(state=State.UNRESOLVED)) & Q(sent_at__range=near)
    return others.filter(Q(state__in=TriggerAttempt.OPEN) | settled).exists()


def _may_be_of(run: Run, attempt: TriggerAttempt) -> bool:
    """Whether a run is of about the time of the request, as an attempt may be looked at days
    later, and has its options, as far as the API shows any."""
    wanted = attempt.overrides
    if _is_numbered_before(run, attempt):
        return False
    if run.shows_overrides and RunOverrides.parse(run.overrides) != wanted:
        return False
    if run.profile_name and wanted.profile_name not in {"", run.profile_name}:
        return False
    began = run.queued_at or run.started_at
    if began is None:
        return attempt.age < CLOCKS_APART
    return attempt.sent_at is not None and abs(began - attempt.sent_at) < CLOCKS_APART


def link_found(attempt: TriggerAttempt, run: Run | None) -> None:
    if run:
        attempt.link_run(RunReference(run.id, run.number))
