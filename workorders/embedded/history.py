"""Imported runs: the invented past of the example work orders.

These runs were never executed on this server. They are marked as imported and their logs say
so, so that nobody takes them for work of this installation.
"""

import datetime as dt

from django.utils import timezone

from workorders.embedded.models import Iteration, LogChunk, Run, Status, WorkOrder

NOTICE = "This run is history: it was imported and never executed on this server.\n"
FAILURE = """\
F.
======================================================================
FAIL: test_half_a_cent_is_rounded_up (test_prices.Discount)
----------------------------------------------------------------------
AssertionError: 212 != 213

Ran 2 tests in 0.001s

FAILED (failures=1)
"""
ERRORS = (
    "Verification still failed after 2 iterations.",
    "Verification still failed after 2 iterations.",
    "The agent ended with exit code 1 in iteration 2.",
    "Time limit of 300 s reached.",
)


def import_run(work_order: WorkOrder, queued_at: dt.datetime) -> Run:
    """Add one imported run to the work order; the run was queued at ``queued_at``.

    Every seventh run is canceled, all others have failed. The result depends only on the number of
    the run and on ``queued_at``, so every installation gets the same examples.
    """
    number = work_order.run_count + 1
    canceled = number % 7 == 0
    iterations = 1 if canceled else 2
    started_at = queued_at + dt.timedelta(seconds=2 + number % 5)
    each = dt.timedelta(seconds=21 + 17 * (number % 6))
    log = NOTICE.encode()
    run = Run.objects.create(
        work_order=work_order,
        number=number,
        status=Status.CANCELED if canceled else Status.FAILED,
        queued_at=queued_at,
        started_at=started_at,
        completed_at=started_at + iterations * each,
        profile_name="default",
        max_iterations=2,
        max_time=300,
        iteration_count=iterations,
        error="" if canceled else ERRORS[number % len(ERRORS)],
        log_size=len(log),
        imported=True,
    )
    LogChunk.objects.create(run=run, offset=0, data=log)
    Iteration.objects.bulk_create(
        _iteration(run, index, started_at + (index - 1) * each, each)
        for index in range(1, iterations + 1)
    )
    work_order.run_count = number
    work_order.save(update_fields=["run_count"])
    return run


def _iteration(run: Run, number: int, started_at: dt.datetime, length: dt.timedelta) -> Iteration:
    last = number == run.iteration_count
    verified = not last or run.error.startswith("Verification")
    agent_crashed = last and run.error.startswith("The agent")
    return Iteration(
        run=run,
        number=number,
        status=Iteration.Status.FAILED,
        started_at=started_at,
        completed_at=started_at + length,
        agent_exit_code=0 if verified else (1 if agent_crashed else None),
        verify_exit_code=1 if verified else None,
        verify_output=FAILURE if verified else "",
    )


def ago(**units: float) -> dt.datetime:
    """A time before now: ``ago(days=3)`` is three days ago. Takes the units of ``timedelta``."""
    return timezone.now() - dt.timedelta(**units)
