"""Reads that a page can do without."""

from collections.abc import Callable

from workorders.errors import RunsAPIError
from workorders.runs_api.client import RunsClient


def optional[T](client: RunsClient, call: Callable[[RunsClient], T]) -> T | None:
    """Return what ``call`` returns, or ``None`` if it raises ``RunsAPIError``.

    The call may use half of the client's remaining time, so that a call that hangs leaves time
    for the calls after it.
    """
    try:
        return call(client.with_half_the_time())
    except RunsAPIError:
        return None
