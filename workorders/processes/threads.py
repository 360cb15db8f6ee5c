"""A fixed number of threads that work for an event loop."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial


class Threads:
    """Threads that live as long as the process, because each keeps its database connection.

    Only the event loop's own thread may use this object.

    Args:
        name: prefix of the threads' names.
        count: how many threads there are.
        most_waiting: how many calls may wait for a thread before ``are_full``.
    """

    def __init__(self, name: str, count: int, *, most_waiting: int) -> None:
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._count = count
        self._most_waiting = most_waiting
        self._under_way = 0
        self._last_end = time.monotonic()

    @property
    def are_full(self) -> bool:
        """Whether ``most_waiting`` calls wait for a thread, so that no more should be added."""
        return self._under_way >= self._count + self._most_waiting

    @property
    def hung_seconds(self) -> float:
        """Seconds since a call ended while others wait; 0 while none waits."""
        return time.monotonic() - self._last_end if self._under_way > self._count else 0

    async def run[**P, Result](
        self, function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs
    ) -> Result:
        """Call the function in the first free thread; returns or raises what the function does."""
        if self._under_way <= self._count:
            self._last_end = time.monotonic()
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._executor, partial(function, *args, **kwargs)
            )
        finally:
            self._under_way -= 1
            self._last_end = time.monotonic()
