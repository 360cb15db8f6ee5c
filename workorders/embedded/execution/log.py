"""Writes a run's log into the database, in chunks, up to a limit."""

import time

from django.db import transaction
from django.db.models import F

from workorders.embedded.execution.hands import Hands
from workorders.embedded.models import LogChunk, Run

FLUSH_SECONDS = 0.3


class LeaseLostError(Exception):
    """The run is no longer in this worker's hand: write nothing more, stop everything."""


class RunLog:
    """Append only. Bytes are kept as they come; readers decode and escape."""

    def __init__(self, run_id: str, hands: Hands, limit: int) -> None:
        self._run_id = run_id
        self._token = hands.token
        self._limit = limit
        self._written = 0
        self._buffer = bytearray()
        self._flushed_at = time.monotonic()
        self._full = False
        self._mid_line = False

    def write(self, data: bytes) -> None:
        """Raises ``LeaseLostError``, as ``tick`` and ``flush`` do."""
        if self._full or not data:
            return
        room = self._limit - self._written - len(self._buffer)
        if len(data) > room:
            self._full = True
            notice = f"Log limit of {self._limit:,} bytes reached: what follows is not kept"
            data = data[:room] + b"\n" + _line(notice)
        self._buffer += data
        self._mid_line = not data.endswith(b"\n")
        if len(self._buffer) >= LogChunk.MAX_BYTES:
            self.flush()

    def section(self, title: str) -> None:
        self.write((b"\n" if self._mid_line else b"") + _line(title))

    def tick(self) -> None:
        """Flush if it is time."""
        if self._buffer and time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        while self._buffer:
            self._store(bytes(self._buffer[: LogChunk.MAX_BYTES]))
            del self._buffer[: LogChunk.MAX_BYTES]
        self._flushed_at = time.monotonic()

    def _store(self, data: bytes) -> None:
        with transaction.atomic():
            held = Run.objects.held_by(self._run_id, self._token)
            if not held.update(log_size=F("log_size") + len(data)):
                raise LeaseLostError
            LogChunk.objects.create(run_id=self._run_id, offset=self._written, data=data)
        self._written += len(data)


def _line(title: str) -> bytes:
    return f"── {title} ──\n".encode()
