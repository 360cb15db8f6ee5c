"""The header ``Server-Timing``, which browsers show in their network panel (W3C Server Timing).

    Server-Timing: total;dur=21.3, api;dur=14.8;desc="2 calls", db;dur=1.1;desc="3 queries"

Durations are in milliseconds. ``api`` is the sum of all calls to the runs API, which may exceed
``total`` because calls can run at the same time. ``db`` is the sum of the dashboard's own queries;
a query of the embedded API counts as part of its call.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection

HEADER = "Server-Timing"


class Timing:
    """Measures what one request spends its time on, in seconds."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        # Several threads may add to these at the same time, which is safe with lists.
        self._calls: list[float] = []
        self._queries: list[float] = []
        self._under_way: set[object] = set()

    @property
    def total(self) -> float:
        """The seconds since the request began."""
        return time.perf_counter() - self._started

    def call_begins(self, call: object) -> None:
        """Note that a call to the runs API has begun; ``call`` is any unique object."""
        self._under_way.add(call)

    def call_ends(self, call: object, seconds: float) -> None:
        """Note that a call has ended and how long the call took."""
        self._under_way.discard(call)
        self._calls.append(seconds)

    def execute(self, execute: Callable[..., Any], *query: Any) -> Any:
        """Measure a query, as a wrapper for ``connection.execute_wrapper``.

        Queries during a call are not measured: they are those of the embedded API.
        """
        if self._under_way:
            return execute(*query)
        started = time.perf_counter()
        try:
            return execute(*query)
        finally:
            self._queries.append(time.perf_counter() - started)

    def header(self, total: float) -> str:
        """Return the header's value; ``total`` is the request's duration in seconds."""
        shares = (
            f"total;dur={_milliseconds(total)}",
            _share("api", self._calls, "call", "calls"),
            _share("db", self._queries, "query", "queries"),
        )
        return ", ".join(shares)


_current: ContextVar[Timing | None] = ContextVar("server_timing", default=None)


def current() -> Timing | None:
    """Return the timing of the current request; ``None`` outside of a request."""
    return _current.get()


@contextmanager
def measured() -> Iterator[Timing]:
    """Measure the calls and database queries inside the ``with`` block."""
    timing = Timing()
    before = _current.set(timing)
    try:
        with connection.execute_wrapper(timing.execute):
            yield timing
    finally:
        _current.reset(before)


def _share(name: str, seconds: list[float], one: str, many: str) -> str:
    count = len(seconds)
    description = f"{count} {one if count == 1 else many}"
    return f'{name};dur={_milliseconds(sum(seconds))};desc="{description}"'


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"
