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
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cache as once
from typing import Any, Self

from django.conf import settings
from django.core.cache import cache

from workorders.errors import InvalidResponse, NetworkError, RunsAPIError
from workorders.runs_api.json_values import Json

KEPT_SECONDS = 10
"""How long a reading is the last that is known, where nobody gets a newer one."""
SHARED_BYTES = 100_000
"""A larger one, the part of a log that has grown fast, is remembered by its process alone."""


ERRORS = {kind.__name__: kind for kind in (RunsAPIError, NetworkError, InvalidResponse)}


class NotModified(Exception):  # noqa: N818
    """Somebody is asking the API just now, and what is known is what the page shows."""


@dataclass(frozen=True, slots=True)
class CachedRead:
    """An answer of the API, or why there was none, and when it was asked for and came.

    Times of day in seconds, since other hosts compare them.
    """

    asked_at: float
    answered_at: float
    answer: Json | RunsAPIError

    def is_fresh(self) -> bool:
        # Not from when it was asked for: a slow answer would be stale when it comes. One
        # that is to come is of a clock that was put back since.
        return 0 <= time.time() - self.answered_at < settings.SHARED_READ_SECONDS

    @property
    def data(self) -> Json:
        """Raises the ``RunsAPIError`` that whoever has asked was given."""
        if isinstance(self.answer, RunsAPIError):
            raise copy(self.answer)  # each with a traceback of its own
        return self.answer

    def as_json(self) -> str:
        """``{"asked_at", "answered_at", "answer"}``, or with ``"error"`` and ``"fields"``, the
        name of an error's class and its attributes.
        """
        times: dict[str, Any] = {"asked_at": self.asked_at, "answered_at": self.answered_at}
        if isinstance(self.answer, RunsAPIError):
            told = {"error": type(self.answer).__name__, "fields": vars(self.answer)}
        else:
            told = {"answer": self.answer}
        return json.dumps(times | told)

    @classmethod
    def from_json(cls, stored: object) -> Self | None:
        """None for what no web server of this version has stored."""
        try:
            told = json.loads(str(stored))
            answer = told["answer"] if "answer" in told else _error(told["error"], told["fields"])
            return cls(float(told["asked_at"]), float(told["answered_at"]), answer)
        except (ValueError, KeyError, TypeError):
            return None


class ReadCache:
    """One for all threads of a process; processes and hosts share Django's cache."""

    def __init__(self) -> None:
        self._remembered: OrderedDict[str, CachedRead] = OrderedDict()
        self._asking: set[str] = set()
        self._lock = threading.Lock()

    def read(self, what: str, since: float, ask: Callable[[], Json]) -> CachedRead:
        """A reading of ``what`` (path and query) that was asked for at ``since`` or later.

        Raises ``NotModified``.
        """
        reading = self._remembered.get(what)
        if reading and reading.asked_at >= since and reading.is_fresh():
            return reading
        with self._lock:
            is_asked_for = what in self._asking
            self._asking.add(what)
        if is_asked_for:
            return self._last_known(what, since)
        try:
            return self._look_or_ask(what, since, ask)
        finally:
            self._asking.discard(what)

    def _look_or_ask(self, what: str, since: float, ask: Callable[[], Json]) -> CachedRead:
        key = _cache_key(what)
        if reading := self._shared(what, key, since):
            return reading
        if not cache.add(f"{key}.asking", 1, settings.RUNS_API_READ_TIMEOUT + 1):
            return self._last_known(what, since)
        try:
            # Whoever asked before may have got the answer between the two looks.
            return self._shared(what, key, since) or self._ask(what, key, ask)
        finally:
            cache.delete(f"{key}.asking")

    def _last_known(self, what: str, since: float) -> CachedRead:
        """While somebody else asks. It may be newer than what the page shows, or say why there
        is nothing newer: a page must not be told that all is as it was when nobody knows."""
        reading = self._remembered.get(what)
        if (
            reading
            and reading.asked_at > since
            and time.time() - reading.answered_at < KEPT_SECONDS
        ):
            return reading
        raise NotModified

    def _shared(self, what: str, key: str, since: float) -> CachedRead | None:
        reading = CachedRead.from_json(cache.get(key))
        if reading is None:
            return None
        self._remember(what, reading)
        return reading if reading.asked_at >= since and reading.is_fresh() else None

    def _ask(self, what: str, key: str, ask: Callable[[], Json]) -> CachedRead:
        asked_at = time.time()
        answer: Json | RunsAPIError
        try:
            answer = ask()
        except RunsAPIError as error:
            answer = error  # shared too
        reading = CachedRead(asked_at, time.time(), answer)
        stored = reading.as_json()
        if len(stored) <= SHARED_BYTES:
            cache.set(key, stored, KEPT_SECONDS)
        self._remember(what, reading)
        return reading

    def _remember(self, what: str, reading: CachedRead) -> None:
        """And forget what is of no use any more: oldest first, as they came."""
        with self._lock:
            self._remembered[what] = reading
            self._remembered.move_to_end(what)
            oldest = next(iter(self._remembered.values()))
            while oldest.answered_at < time.time() - KEPT_SECONDS and len(self._remembered) > 1:
                self._remembered.popitem(last=False)
                oldest = next(iter(self._remembered.values()))


class SharedRead:
    """What one refresh of a page takes from them.

    Nothing that is read later is older than what was read before: a run that is over does
    not stand beside its work order of a moment before.
    """

    def __init__(self, since: float) -> None:
        self.since = since
        """The moment of its newest part, in seconds: nothing older may come after it."""
        self.oldest = time.time()
        """When its oldest part came."""

    def read(self, what: str, ask: Callable[[], Json]) -> Json:
        reading = read_cache().read(what, self.since, ask)
        self.since = max(self.since, reading.asked_at)
        self.oldest = min(self.oldest, reading.answered_at)
        return reading.data


@once
def read_cache() -> ReadCache:
    return ReadCache()


def _error(kind: str, fields: dict[str, Any]) -> RunsAPIError:
    error = ERRORS[kind](str(fields["message"]))
    vars(error).update(fields)
    return error


def _cache_key(what: str) -> str:
    """Of any length and alphabet as the caches allow it; of this API, where several are used."""
    digest = hashlib.blake2b(f"{settings.RUNS_API_URL} {what}".encode(), digest_size=16)
    return f"read.{digest.hexdigest()}"
