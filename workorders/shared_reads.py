"""Reads of the runs API that open pages share.

A page that refreshes itself needs no answer of its own: one that anybody has asked for
within the last second (SHARED_READ_SECONDS) does as well. So however many pages, processes
and hosts watch a work order, the API is asked about it at most once a second. Nobody waits
for somebody else's answer: until it is there, nothing newer is known, which is what a
refresh is told.

A page never goes back in time. It names the moment that it shows, and nothing that was
asked for before that is given to it; hosts that share reads need clocks that agree.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as once

from django.conf import settings
from django.core.cache import cache

from workorders.errors import RunsAPIError
from workorders.json_values import Json

KEPT_SECONDS = 10
"""In the shared cache: longer than anything is given out, so that clocks may differ a little."""
MOST_REMEMBERED = 2_000
"""Readings that a process keeps beside the shared ones; the rest is looked up again."""


class NothingNewer(Exception):  # noqa: N818
    """Somebody is asking the API just now, and what is known is what the page shows."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer of the API, or why there was none, and when it was asked for.

    ``asked_at`` is a time of day in seconds, since other hosts compare it.
    """

    asked_at: float
    answer: Json | RunsAPIError

    def serves(self, since: float) -> bool:
        return self.asked_at >= since and time.time() < self.asked_at + settings.SHARED_READ_SECONDS

    @property
    def data(self) -> Json:
        """Raises the ``RunsAPIError`` that whoever has asked was given."""
        if isinstance(self.answer, RunsAPIError):
            raise self.answer
        return self.answer


class SharedReads:
    """One for all threads of a process; processes and hosts share Django's cache."""

    def __init__(self) -> None:
        self._remembered: dict[str, Reading] = {}
        self._asking: set[str] = set()
        self._lock = threading.Lock()

    def read(self, what: str, since: float, ask: Callable[[], Json]) -> Reading:
        """A reading of ``what`` (path and query) that was asked for after ``since``.

        Raises ``NothingNewer``.
        """
        reading = self._remembered.get(what)
        if reading and reading.serves(since):
            return reading
        with self._lock:
            if what in self._asking:
                raise NothingNewer
            self._asking.add(what)
        try:
            return self._look_or_ask(what, since, ask)
        finally:
            self._asking.discard(what)

    def _look_or_ask(self, what: str, since: float, ask: Callable[[], Json]) -> Reading:
        key = _cache_key(what)
        if reading := self._shared(what, key, since):
            return reading
        if not cache.add(f"{key}.asking", 1, settings.RUNS_API_READ_TIMEOUT + 1):
            raise NothingNewer
        try:
            # Whoever asked before may have got the answer between the two looks.
            return self._shared(what, key, since) or self._ask(what, key, ask)
        finally:
            cache.delete(f"{key}.asking")

    def _shared(self, what: str, key: str, since: float) -> Reading | None:
        reading: Reading | None = cache.get(key)
        if reading is None or not reading.serves(since):
            return None
        self._remember(what, reading)
        return reading

    def _ask(self, what: str, key: str, ask: Callable[[], Json]) -> Reading:
        asked_at = time.time()
        try:
            reading = Reading(asked_at, ask())
        except RunsAPIError as error:
            # Shared too: a page must not be told that all is as it was.
            reading = Reading(asked_at, error)
        cache.set(key, reading, KEPT_SECONDS)
        self._remember(what, reading)
        return reading

    def _remember(self, what: str, reading: Reading) -> None:
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[what] = reading


class SharedRead:
    """What one refresh of a page takes from them.

    ``as_of`` is the moment that its page shows then: when the oldest was asked for.
    """

    def __init__(self, since: float) -> None:
        self.as_of = time.time()
        self._since = since

    def read(self, what: str, ask: Callable[[], Json]) -> Json:
        reading = shared_reads().read(what, self._since, ask)
        self.as_of = min(self.as_of, reading.asked_at)
        return reading.data


@once
def shared_reads() -> SharedReads:
    return SharedReads()


def _cache_key(what: str) -> str:
    """Of any length and alphabet as the caches allow it; of this API, where several are used."""
    digest = hashlib.blake2b(f"{settings.RUNS_API_URL} {what}".encode(), digest_size=16)
    return f"read.{digest.hexdigest()}"
