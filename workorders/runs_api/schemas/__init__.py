"""The runs API's JSON as typed values.

Real servers omit fields, add others and send null. Only IDs are required: ``parse`` raises
``ValueError`` where a required ID is missing. Any other missing value is ``None`` or empty,
and the pages then leave that fact out. Unknown fields are ignored.

JSON shapes, unless a class says otherwise: names are camelCase; timestamps are ISO 8601 strings,
here ``datetime`` in UTC; counts are integers.
"""

from workorders.runs_api.schemas.base import parse
from workorders.runs_api.schemas.log_part import LogPart
from workorders.runs_api.schemas.page import Page
from workorders.runs_api.schemas.profile import MAX_ITERATIONS_LIMIT, Profile, RunOverrides
from workorders.runs_api.schemas.queue import Isolation, QueueHealth, queue_position_of
from workorders.runs_api.schemas.run import Iteration, Run, RunReference, TriggeredRun, run_label
from workorders.runs_api.schemas.status import FINAL_STATUSES, WORK_ORDER_STATUSES
from workorders.runs_api.schemas.work_order import WorkOrder

__all__ = [
    "FINAL_STATUSES",
    "MAX_ITERATIONS_LIMIT",
    "WORK_ORDER_STATUSES",
    "Isolation",
    "Iteration",
    "LogPart",
    "Page",
    "Profile",
    "QueueHealth",
    "Run",
    "RunOverrides",
    "RunReference",
    "TriggeredRun",
    "WorkOrder",
    "parse",
    "queue_position_of",
    "run_label",
]
