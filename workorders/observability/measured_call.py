"""A call to the runs API, measured."""

import time

from workorders.observability import server_timing
from workorders.observability.metrics import API_CALLS, endpoint


class MeasuredCall:
    """A call under way: its time goes to the metrics, and to the page it is made for.

    Args:
        path: below ``/api/v1``.
    """

    def __init__(self, method: str, path: str) -> None:
        self._method = method
        self._endpoint = endpoint(path)
        self._timing = server_timing.current()
        if self._timing:
            self._timing.call_begins(self)
        self._started = time.perf_counter()

    def ends(self, outcome: str) -> float:
        """Count it; the seconds it took. ``outcome`` is a label: of a bounded set."""
        seconds = time.perf_counter() - self._started
        API_CALLS.labels(self._method, self._endpoint, outcome).observe(seconds)
        if self._timing:
            self._timing.call_ends(self, seconds)
        return seconds
