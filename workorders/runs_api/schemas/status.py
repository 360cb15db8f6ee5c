"""The statuses of work orders and runs."""

from typing import Annotated

from pydantic import AfterValidator

from workorders.runs_api.json_values import OrMissing, Text
from workorders.text.legible import legible

FINAL_STATUSES = frozenset({"succeeded", "failed", "cancelled"})
WORK_ORDER_STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")
LONGEST_STATUS = 40
"""The most characters that a page shows of a status, which may be one that it does not know."""
UNKNOWN = "unknown"


def _status(text: str) -> str:
    """Return a status as the pages name it.

    The API may spell ``cancelled`` with one l; the pages use two.
    """
    status = legible(text, LONGEST_STATUS)
    return "cancelled" if status == "canceled" else status or UNKNOWN


Status = Annotated[Text, AfterValidator(_status), OrMissing(UNKNOWN)]
