"""The queue of the calls that wake the workers: in the database, or in Redis with ``REDIS_URL``.

A call says only "look for a run". What is to do stands in the runs, so a call may be lost
with its worker or its queue, and may come twice: heartbeats send another one.
"""

from functools import cache
from typing import Protocol

from django.conf import settings


class WakeupQueue(Protocol):
    """What Django's tasks do not offer by themselves; a worker is named by its token."""

    errors: tuple[type[Exception], ...]
    """What all here, and to enqueue, raises while the queue's own server does not answer."""

    def has_pending(self) -> bool:
        """Whether a call waits for a worker."""

    def process_next(self, worker: str) -> None:
        """Run the task of the next call; return after a moment when there is none."""

    def clean_up(self, worker: str) -> None:
        """Remove what answered calls and dead workers have left."""


@cache
def wakeup_queue() -> WakeupQueue:
    """The one that the ``TASKS`` setting sends calls to."""
    if settings.REDIS_URL:
        from workorders.embedded.wakeups.redis import RedisWakeups  # noqa: PLC0415 (one of the two)

        return RedisWakeups()
    from workorders.embedded.wakeups.database import DatabaseWakeups  # noqa: PLC0415

    return DatabaseWakeups()
