"""Wake-up tasks in Redis or Valkey, through django-tasks-redis: one stream for all workers."""

from typing import Any, cast

from django.tasks import DEFAULT_TASK_QUEUE_NAME, task_backends
from redis.exceptions import RedisError

WAIT_SECONDS = 0.5
"""How long an idle worker waits for a task before it checks whether it is to end."""


class RedisWakeups:
    """``WakeupQueue`` for Redis."""

    errors: tuple[type[Exception], ...] = (RedisError,)

    def __init__(self) -> None:
        self._backend = cast("Any", task_backends["default"])  # the package has no types
        self._broker = self._backend.broker

    def has_pending(self) -> bool:
        # All tasks have one priority, so they are in one stream. Delivered tasks may still be in
        # the stream if their worker died. Only tasks after the last delivered one are pending.
        stream = self._broker.stream_key(DEFAULT_TASK_QUEUE_NAME, "normal")
        self._broker.ensure_consumer_group(stream)
        client = self._backend.get_client()
        groups = client.xinfo_groups(stream)
        last = next(
            g["last-delivered-id"]
            for g in groups
            if _text(g["name"]) == self._broker.consumer_group
        )
        return bool(client.xrange(stream, min=f"({_text(last)}", count=1))

    def process_next(self, worker: str) -> None:
        for task in self._broker.receive(wait_seconds=WAIT_SECONDS, worker_id=worker):
            # Acknowledge before the run, which may take hours, so that no other worker is given
            # the same task meanwhile. If this worker dies, a heartbeat enqueues another task.
            self._broker.ack(task)
            try:
                self._backend.run_task(task.task_id, worker_id=worker)
            finally:
                self._backend.delete_task_data(task.task_id)

    def clean_up(self, worker: str) -> None:
        self._broker.claim_stale_messages(worker)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
