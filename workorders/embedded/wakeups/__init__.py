"""The queue of the tasks that wake workers: in the database, or in Redis if ``REDIS_URL`` is set.

A wake-up task carries no payload: pending runs are read from the database. A task may therefore
get lost, because heartbeats enqueue another one, and a duplicate does no harm.
"""

from functools import cache
from typing import Protocol

from django.conf import settings


class WakeupQueue(Protocol):
    """What workers need of a queue beyond Django's task API. ``worker`` is a worker's token."""

    errors: tuple[type[Exception], ...]
    """The exceptions that these methods and ``enqueue`` raise while the queue's server is down."""

    def has_pending(self) -> bool:
        """Whether a wake-up task waits for a worker."""

    def process_next(self, worker: str) -> None:
        """Run the next wake-up task; return after a short wait if there is none."""

    def clean_up(self, worker: str) -> None:
        """Remove what finished tasks and dead workers have left in the queue."""


@cache
def wakeup_queue() -> WakeupQueue:
    """The queue that the ``TASKS`` setting sends wake-up tasks to."""
    if settings.REDIS_URL:
        from workorders.embedded.wakeups.redis import RedisWakeups  # noqa: PLC0415 (one of the two)

        return RedisWakeups()
    from workorders.embedded.wakeups.database import DatabaseWakeups  # noqa: PLC0415

    return DatabaseWakeups()
