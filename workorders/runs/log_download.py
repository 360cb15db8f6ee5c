"""Download of a run's complete log as a file, streamed part by part."""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from django.conf import settings

from workorders.errors import RunsAPIError

MAX_PER_USER = 4
"""Maximum number of simultaneous downloads of one user, in one process."""
RETRY_AFTER_SECONDS = 30


class Slot:
    """Permission for one download. It counts from ``take`` to ``close``.

    A process serves ``WEB_DOWNLOADS`` downloads at the same time.
    """

    _lock = threading.Lock()
    _taken: ClassVar[Counter[int]] = Counter()
    """Number of current downloads by user, with the primary key of the account as key."""

    def __init__(self, user_id: int) -> None:
        self._user_id = user_id

    def take(self) -> bool:
        """Take the slot; ``False`` where the limit of the process or of the user is reached."""
        with self._lock:
            is_free = self._taken.total() < settings.WEB_DOWNLOADS
            if not is_free or self._taken[self._user_id] >= MAX_PER_USER:
                return False
            self._taken[self._user_id] += 1
            return True

    def close(self) -> None:
        """Give the slot back. Call this once, and only after ``take`` has returned ``True``."""
        with self._lock:
            self._taken[self._user_id] -= 1
            if not self._taken[self._user_id]:
                del self._taken[self._user_id]


class LogFile:
    """The parts of a log as the content of a streaming response.

    Django calls ``close`` when the response ends, also when the client disconnects. The slot is
    then given back.
    """

    def __init__(self, first: str, others: Iterator[str], slot: Slot) -> None:
        self._first = first
        self._others = others
        self._slot: Slot | None = slot

    def __iter__(self) -> Iterator[str]:
        yield self._first
        try:
            yield from self._others
        except RunsAPIError as error:
            # The status was sent with the first part, so the file itself states the failure.
            yield f"\n[The log could not be read further: {error.user_message}]\n"

    def close(self) -> None:
        if self._slot:
            self._slot.close()
            self._slot = None
