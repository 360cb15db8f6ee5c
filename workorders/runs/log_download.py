"""The whole log of a run as a file, streamed part by part."""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from django.conf import settings

from workorders.errors import RunsAPIError

OF_ONE_PERSON = 4
"""Downloads at the same time, in one process."""
RETRY_AFTER_SECONDS = 30


class Slot:
    """Room for one download, until it is closed; few may go on at the same time."""

    _lock = threading.Lock()
    _taken: ClassVar[Counter[int]] = Counter()
    """How many the persons have, by the primary keys of their accounts."""

    def __init__(self, person: int) -> None:
        self._person = person

    def take(self) -> bool:
        """Whether there was room, in all and for this person."""
        with self._lock:
            is_free = self._taken.total() < settings.WEB_DOWNLOADS
            if not is_free or self._taken[self._person] >= OF_ONE_PERSON:
                return False
            self._taken[self._person] += 1
            return True

    def close(self) -> None:
        with self._lock:
            self._taken[self._person] -= 1
            if not self._taken[self._person]:
                del self._taken[self._person]


class LogFile:
    """The log's parts; Django closes the file when its response is over, however it ends."""

    def __init__(self, first: str, others: Iterator[str], slot: Slot) -> None:
        self._first = first
        self._others = others
        self._slot: Slot | None = slot

    def __iter__(self) -> Iterator[str]:
        yield self._first
        try:
            yield from self._others
        except RunsAPIError as error:
            yield f"\n[The log could not be read further: {error.user_message}]\n"

    def close(self) -> None:
        if self._slot:
            self._slot.close()
            self._slot = None
