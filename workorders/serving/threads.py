"""A fixed number of threads for the work of an event loop."""

import asyncio
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any


class Threads:
    """Threads that live as long as the process, because each keeps its database connection.

    ``concurrent.futures`` does the same; handing its futures over to the event loop costs a
    fifth of what an unchanged refresh costs altogether.
    """

    def __init__(self, name: str, count: int, *, most_waiting: int) -> None:
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._count = count
        self._most_waiting = most_waiting
        self._under_way = 0
        self._last_end = time.monotonic()
        for number in range(1, count + 1):
            threading.Thread(target=self._serve, name=f"{name}-{number}", daemon=True).start()

    @property
    def are_full(self) -> bool:
        """Whether too much waits for anything to be added that has not begun."""
        return self._under_way >= self._count + self._most_waiting

    @property
    def hung_seconds(self) -> float:
        """How long no work has ended although some waits; 0 while nothing waits."""
        return time.monotonic() - self._last_end if self._under_way > self._count else 0

    async def run[**P, Result](
        self, function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs
    ) -> Result:
        """What the function returns or raises, in the first thread that is free."""
        if self._under_way <= self._count:
            self._last_end = time.monotonic()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Result] = loop.create_future()

        def work() -> None:
            try:
                result = function(*args, **kwargs)
            except BaseException as exc:  # noqa: BLE001, whoever waits gets it
                loop.call_soon_threadsafe(self._end, done, None, exc)
            else:
                loop.call_soon_threadsafe(self._end, done, result, None)

        self._under_way += 1
        self._work.put(work)
        return await done

    def _end(self, done: asyncio.Future[Any], result: Any, exc: BaseException | None) -> None:
        self._under_way -= 1
        self._last_end = time.monotonic()
        if done.cancelled():
            return
        if exc is None:
            done.set_result(result)
        else:
            done.set_exception(exc)

    def _serve(self) -> None:
        while True:
            self._work.get()()
