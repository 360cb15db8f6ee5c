"""Measures how long a call to the runs API takes."""

import time

from workorders.observability import server_timing
from workorders.observability.metrics import API_CALLS, endpoint


class MeasuredCall:
    """A call that has begun. Its duration is added to the metrics and to the page's timing.

    Args:
        method: the HTTP method.
        path: the path below ``/api/v1``.
    """

    def __init__(self, method: str, path: str) -> None:
        self._method = method
        self._endpoint = endpoint(path)
        self._timing = server_timing.current()
        if self._timing:
            self._timing.call_begins(self)
        self._started = time.perf_counter()

    def ends(self, outcome: str) -> float:
        """Count the call and return its duration in seconds.

        Args:
            outcome: the value of a metric's label, so from a bounded set (see ``metrics.OK``).
        """
        seconds = time.perf_counter() - self._started
        API_CALLS.labels(self._method, self._endpoint, outcome).observe(seconds)
        if self._timing:
            self._timing.call_ends(self, seconds)
        return seconds
