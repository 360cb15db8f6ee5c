"""Find rows by the IDs in a URL, or raise 404 NOT_FOUND."""

import re

from workorders.embedded.api.responses import ApiError, not_found
from workorders.embedded.models import Run, WorkOrder

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def get_work_order(work_order_id: str) -> WorkOrder:
    """The work order with this ID. Raises ``ApiError`` (404)."""
    work_order = None
    if is_id(work_order_id):
        work_order = WorkOrder.objects.filter(pk=work_order_id).first()
    if work_order is None:
        raise no_such_work_order(work_order_id)
    return work_order


def no_such_work_order(work_order_id: str) -> ApiError:
    """404 NOT_FOUND for a work order."""
    return not_found(f"Work order not found: {work_order_id}")


def get_run(run_id: str) -> Run:
    """The run with this ID, with its work order loaded. Raises ``ApiError`` (404)."""
    run = None
    if is_id(run_id):
        run = Run.objects.select_related("work_order").filter(pk=run_id).first()
    if run is None:
        raise not_found(f"Run not found: {run_id}")
    return run


def is_id(text: str) -> bool:
    """Whether the text has the form of an ID.

    The database is queried for such texts only, because others may hold characters that the
    database does not accept.
    """
    return _ID.fullmatch(text) is not None
