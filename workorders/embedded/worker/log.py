"""Writes a run's log to the database, in chunks and up to a limit."""

import time

from django.db import transaction

from workorders.embedded.models import LogChunk, Run
from workorders.embedded.worker.context import WorkerContext
from workorders.processes.database_outage import DATABASE_ERRORS, give_up_connection, outage

FLUSH_SECONDS = 0.3
TAIL_BYTES = 8_192
"""Bytes kept of the end of each section's output after the limit has been reached."""
_INSIDE_A_CHARACTER = bytes(range(0x80, 0xC0))


class LeaseLostError(Exception):
    """The run no longer belongs to this worker, which must stop its commands and write nothing."""


class RunLog:
    """The log of one run, to which data can only be appended.

    Bytes are stored as they come; readers of the log decode and escape them. A log has sections,
    one for each step of its run. After the limit has been reached, only the title of a section
    and the last part of its output are stored. That last part is written when the section is over,
    so that clients that read on from an offset never miss anything.

    While the database cannot be used, the log is kept in memory, up to the limit, and written
    later. Only ``store`` raises database errors.
    """

    def __init__(self, run_id: str, context: WorkerContext, limit: int) -> None:
        self._run_id = run_id
        self._token = context.token
        self._limit = limit
        self._room = limit
        self._written = 0
        self._buffer = bytearray()
        self._trying = 0
        """How many bytes of the buffer a failed write may nevertheless have stored."""
        self._next_flush = time.monotonic() + FLUSH_SECONDS
        self._mid_line = False
        self._tail = bytearray()
        self._skipped = 0
        """Bytes of this section that came after the limit, including those in the tail."""

    def write(self, data: bytes) -> None:
        """Append output of a command.

        Raises ``LeaseLostError``, as do ``tick``, ``flush``, ``store`` and ``section``.
        """
        within, beyond = data[: self._room], data[self._room :]
        self._append(within)
        self._room -= len(within)
        if beyond:
            self._skip(beyond)

    def section(self, title: str) -> None:
        """End the current section and begin a new one with this title.

        A title may also stand alone, as a note of the worker itself.
        """
        self._append_tail()
        self._append_line(title)

    def tick(self) -> None:
        """Flush if ``FLUSH_SECONDS`` have passed since the last flush."""
        if self._buffer and time.monotonic() >= self._next_flush:
            self.flush()

    def flush(self) -> None:
        """Write the buffer, or keep it for later if the database cannot be used."""
        try:
            self.store()
        except DATABASE_ERRORS as exc:
            give_up_connection(exc)
            self._next_flush = time.monotonic() + outage.pause_seconds

    def store(self) -> None:
        """Write the buffer.

        Raises ``DATABASE_ERRORS`` while the database cannot be used. The bytes stay in the buffer,
        and a later call stores them exactly once.
        """
        while self._buffer:
            # After an error, write exactly the same bytes again: they may have been stored already.
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
            # If only the response of an earlier write was lost, the chunk exists already.
            if not held.filter(log_size__in=(self._written, end)).update(log_size=end):
                raise LeaseLostError
            LogChunk.objects.get_or_create(
                run_id=self._run_id, offset=self._written, defaults={"data": data}
            )
        self._written = end


def storable(text: str | bytes) -> str:
    """The text in a form that databases can store.

    Bytes that are not UTF-8, as in file names and output, and NUL become U+FFFD.
    """
    data = text.encode(errors="surrogateescape") if isinstance(text, str) else text
    return data.decode(errors="replace").replace("\0", "\ufffd")
