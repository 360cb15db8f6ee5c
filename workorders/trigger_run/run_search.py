"""Attribution: which run of a work order an attempt has started.

When no response has named the run, a run is attributed to the attempt if the run did not exist
before the request, began at about the time of the request and has the options of the request. The
run must be the only such run, and no other attempt may have started it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from workorders.attempts import transitions
from workorders.attempts.appearance import Appearance
from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import Run, RunOverrides, RunReference, WorkOrder

State = TriggerAttempt.State

IN_THE_WAY = "RUN_ALREADY_ACTIVE"
"""An API that stores the key after the run may give this code because of the attempt's own run."""
APPEARS_WITHIN = dt.timedelta(minutes=1)
"""How long after the request an accepted run is expected to appear."""
CLOCKS_APART = dt.timedelta(seconds=60)
"""The largest expected difference between the clocks of the API and of the dashboard."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """The work order's runs that an attempt may have started, and that no other attempt has."""

    new: tuple[Run, ...]
    may_be_others: bool
    """Whether the runs may belong to another attempt, or may be older than this attempt."""

    @property
    def the_run(self) -> Run | None:
        """The run that can only belong to the attempt; ``None`` when that is not certain."""
        return self.new[0] if len(self.new) == 1 and not self.may_be_others else None


def find_candidates(client: RunsClient, attempt: TriggerAttempt) -> Candidates:
    """Read the work order, and search its runs.

    The runs are read before the other attempts are: an attempt that gets its response in between
    then counts as waiting, or has its run.

    Raises:
        RunsAPIError: the work order cannot be read.
    """
    return candidates_in(client.get_work_order(attempt.work_order_id), attempt)


def candidates_in(work_order: WorkOrder, attempt: TriggerAttempt) -> Candidates:
    """Search the runs of a work order that was read just now."""
    runs = [run for run in work_order.runs if run.work_order_id == attempt.work_order_id]
    possible = [run for run in runs if _may_be_of(run, attempt)]
    if not possible:
        return Candidates((), may_be_others=False)
    others_wait = _others_wait(runs, attempt)
    # The run with the provisional ID is not the run of the attempt.
    known = {*(attempt.known_run_ids or ()), attempt.provisional_run_id}
    known |= TriggerAttempt.objects.run_ids(attempt.work_order_id)
    new = tuple(run for run in possible if run.id not in known)
    # When the earlier runs are not known, a candidate may be older than the request.
    cannot_tell = attempt.known_run_ids is None or attempt.outcome == IN_THE_WAY
    return Candidates(new, bool(new) and (cannot_tell or others_wait))


def appearance(attempt: TriggerAttempt, found: Candidates) -> Appearance:
    """How to describe an accepted run that the search could not attribute with certainty."""
    is_late = attempt.age > APPEARS_WITHIN
    if len(found.new) > 1 or (found.new and is_late):
        return Appearance.SEVERAL
    return Appearance.MISSING if is_late else Appearance.WAITING


def confirm(attempt: TriggerAttempt, run: Run, *, is_of_work_order: bool) -> bool:
    """Check whether the run that a response named can be the run of the attempt.

    A run that cannot be is disowned, and False is returned. A run that certainly is gets
    its ``run_confirmed_at``. When neither is certain the attempt stays accepted, and True is
    returned.

    Args:
        is_of_work_order: whether the run or the attempt's work order says that they belong
            together.
    """
    if run.work_order_id not in {"", attempt.work_order_id} or _is_numbered_before(run, attempt):
        transitions.disown(attempt)
        return False
    if is_of_work_order and (attempt.known_run_ids is not None or attempt.sent_at is None):
        transitions.confirm_run(attempt, run.number)
        return True
    # The earlier runs are not known, or the run may belong to another work order. The time at
    # which the run began may still decide.
    began = run.queued_at or run.started_at
    if began is None or attempt.sent_at is None:
        return True
    if began < attempt.sent_at - CLOCKS_APART:
        transitions.disown(attempt)
        return False
    if is_of_work_order and began >= attempt.sent_at:
        transitions.confirm_run(attempt, run.number)
    return True


def _is_numbered_before(run: Run, attempt: TriggerAttempt) -> bool:
    """Whether the number shows that the run is older than the request.

    An API may shorten its lists of runs, so an older run can be missing in ``known_run_ids``.
    """
    return None not in {run.number, attempt.next_run_number} and (
        (run.number or 0) < (attempt.next_run_number or 0)
    )


def _others_wait(runs: Sequence[Run], attempt: TriggerAttempt) -> bool:
    """Whether a new run may belong to another attempt of the work order.

    That may be an attempt in flight. It may also be an attempt of about the same time that is
    UNRESOLVED, or that was accepted under an ID which the work order does not list.
    """
    if attempt.sent_at is None:
        return False
    others = TriggerAttempt.objects.filter(work_order_id=attempt.work_order_id).exclude(
        pk=attempt.pk
    )
    # A run may be one clock difference away from each of two requests.
    near = (attempt.sent_at - 2 * CLOCKS_APART, attempt.sent_at + 2 * CLOCKS_APART)
    unlisted = Q(state=State.STARTED, run_confirmed_at=None) & ~Q(
        run_id__in=[run.id for run in runs]
    )
    settled = (unlisted | Q(state=State.UNRESOLVED)) & Q(sent_at__range=near)
    return others.filter(Q(state__in=TriggerAttempt.OPEN) | settled).exists()


def _may_be_of(run: Run, attempt: TriggerAttempt) -> bool:
    """Whether a run began at about the time of the request and has its options.

    Times matter because a search may happen days later. Options are compared only as far as the
    API shows them.
    """
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


def search_and_link(client: RunsClient, attempt: TriggerAttempt) -> Candidates:
    """Read the work order, and link the run that can only belong to the attempt, if there is one.

    Raises:
        RunsAPIError: the work order cannot be read.
    """
    found = find_candidates(client, attempt)
    link_found(attempt, found.the_run)
    return found


def link_found(attempt: TriggerAttempt, run: Run | None) -> None:
    """Link the run that a search has attributed to the attempt, if there is one."""
    if run:
        transitions.link_run(attempt, RunReference(run.id, run.number))
