"""Calls in Redis or Valkey, through django-tasks-redis: a stream that all workers read."""

from typing import Any, cast

from django.tasks import DEFAULT_TASK_QUEUE_NAME, task_backends
from redis.exceptions import RedisError

WAIT_SECONDS = 0.5
"""How long a worker without a call listens before it looks at whether it is to end."""


class RedisWakeups:
    errors: tuple[type[Exception], ...] = (RedisError,)

    def __init__(self) -> None:
        self._backend = cast("Any", task_backends["default"])  # the package has no types
        self._broker = self._backend.broker

    def has_pending(self) -> bool:
        # Tasks of one priority are in one stream. What was handed out may still be in it: its
        # worker died with it in hand. Only what comes after that waits.
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
        for call in self._broker.receive(wait_seconds=WAIT_SECONDS, worker_id=worker):
            # Before the run, which may take hours: a call that is late is answered by nobody
            # else, and one that is lost is made up for.
            self._broker.ack(call)
            try:
                self._backend.run_task(call.task_id, worker_id=worker)
            finally:
                self._backend.delete_task_data(call.task_id)

    def clean_up(self, worker: str) -> None:
        self._broker.claim_stale_messages(worker)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
