"""Writes a run's log into the database, in chunks, up to a limit."""

import time

from django.db import transaction

from workorders.embedded.models import LogChunk, Run
from workorders.embedded.worker.context import WorkerContext
from workorders.processes.database_outage import DATABASE_ERRORS, give_up_connection, outage

FLUSH_SECONDS = 0.3
TAIL_BYTES = 8_192
"""Of each step's output, kept beyond the limit."""
_INSIDE_A_CHARACTER = bytes(range(0x80, 0xC0))


class LeaseLostError(Exception):
    """The run is no longer in this worker's hand: write nothing more, stop everything."""


class RunLog:
    """Append only. Bytes are kept as they come; readers decode and escape.

    A log has sections, one for each step of its run. Beyond the limit the titles of sections
    are kept, and the end of each section's output; that is written when the section is over,
    so that whoever reads on from an offset never misses anything.

    While the database cannot be used, everything is kept in memory, up to the limit, and written
    later: only ``store`` raises then.
    """

    def __init__(self, run_id: str, context: WorkerContext, limit: int) -> None:
        self._run_id = run_id
        self._token = context.token
        self._limit = limit
        self._room = limit
        self._written = 0
        self._buffer = bytearray()
        self._trying = 0
        """How many bytes of the buffer a write that failed may have written."""
        self._next_flush = time.monotonic() + FLUSH_SECONDS
        self._mid_line = False
        self._tail = bytearray()
        self._skipped = 0
        """Bytes of this section that came after the limit, those of the tail among them."""

    def write(self, data: bytes) -> None:
        """Raises ``LeaseLostError``, as ``tick``, ``flush`` and ``section`` do."""
        within, beyond = data[: self._room], data[self._room :]
        self._append(within)
        self._room -= len(within)
        if beyond:
            self._skip(beyond)

    def section(self, title: str) -> None:
        """End the section so far and begin one, or say what is no command's output."""
        self._append_tail()
        self._append_line(title)

    def tick(self) -> None:
        """Flush if it is time."""
        if self._buffer and time.monotonic() >= self._next_flush:
            self.flush()

    def flush(self) -> None:
        """Write what there is, or leave it for later where the database cannot be used."""
        try:
            self.store()
        except DATABASE_ERRORS as exc:
            give_up_connection(exc)
            self._next_flush = time.monotonic() + outage.pause_seconds

    def store(self) -> None:
        """Write what there is. Raises ``DATABASE_ERRORS``; nothing is lost or doubled then."""
        while self._buffer:
            # The same bytes again after an error: they may have been written all the same.
            self._trying = self._trying or len(self._buffer[: LogChunk.MAX_BYTES])
            self._store(bytes(self._buffer[: self._trying]))
            del self._buffer[: self._trying]
            self._trying = 0
            outage.is_over()
        self._next_flush = time.monotonic() + FLUSH_SECONDS

    def _skip(self, data: bytes) -> None:
        if not self._skipped:
            self._append_line(
                f"Log limit of {self._limit:,} bytes reached: only the end of this step is kept"
            )
        self._skipped += len(data)
        self._tail += data
        del self._tail[:-TAIL_BYTES]

    def _append_tail(self) -> None:
        if self._skipped > len(self._tail):
            _, _, lines = self._tail.partition(b"\n")
            kept = bytes(lines or self._tail.lstrip(_INSIDE_A_CHARACTER))
            self._append_line(f"{self._skipped - len(kept):,} bytes are left out here")
        else:
            kept = bytes(self._tail)
        self._append(kept)
        self._tail.clear()
        self._skipped = 0

    def _append_line(self, text: str) -> None:
        line = f"── {text} ──\n".encode(errors="surrogateescape")
        self._append((b"\n" if self._mid_line else b"") + line)

    def _append(self, data: bytes) -> None:
        if not data:
            return
        self._buffer += data
        self._mid_line = not data.endswith(b"\n")
        if len(self._buffer) >= LogChunk.MAX_BYTES and not outage.is_on:
            self.flush()

    def _store(self, data: bytes) -> None:
        end = self._written + len(data)
        with transaction.atomic():
            held = Run.objects.held_by(self._run_id, self._token)
            # Written before when only the response was lost: then the chunk is there already.
            if not held.filter(log_size__in=(self._written, end)).update(log_size=end):
                raise LeaseLostError
            LogChunk.objects.get_or_create(
                run_id=self._run_id, offset=self._written, defaults={"data": data}
            )
        self._written = end


def storable(text: str | bytes) -> str:
    """What a database can hold: names of files may be no UTF-8, output may be anything."""
    data = text.encode(errors="surrogateescape") if isinstance(text, str) else text
    return data.decode(errors="replace").replace("\0", "\ufffd")
