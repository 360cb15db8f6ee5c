"""Rows by the IDs in an address, or the 404 of the contract."""

import re

from workorders.embedded.api.responses import ApiError, not_found
from workorders.embedded.models import Run, WorkOrder

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def get_work_order(work_order_id: str) -> WorkOrder:
    work_order = None
    if is_id(work_order_id):
        work_order = WorkOrder.objects.filter(pk=work_order_id).first()
    if work_order is None:
        raise no_such_work_order(work_order_id)
    return work_order


def no_such_work_order(work_order_id: str) -> ApiError:
    return not_found(f"Work order not found: {work_order_id}")


def get_run(run_id: str) -> Run:
    run = None
    if is_id(run_id):
        run = Run.objects.select_related("work_order").filter(pk=run_id).first()
    if run is None:
        raise not_found(f"Run not found: {run_id}")
    return run


def is_id(text: str) -> bool:
    """Whether a row could have that ID: the database is never asked for anything else."""
    return _ID.fullmatch(text) is not None
