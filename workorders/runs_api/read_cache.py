"""A cache of reads of the runs API, which the polls of open pages share.

A poll may use a response that another request has read within the last
``SHARED_READ_SECONDS``. However many pages, processes and hosts watch a work order, the API is
therefore read about once per ``SHARED_READ_SECONDS``. No request waits for the response to
another request's call: until that response is there, the poll finds that nothing has changed.

A page never goes back in time. A poll sends the timestamp of the data that the page shows, and
never gets data that was requested earlier. Hosts that share reads need synchronized clocks.
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
"""How long a read is kept, as the last known one, while no newer read succeeds."""
SHARED_BYTES = 100_000
"""A read that is larger as JSON, such as a long part of a log, stays in its process's memory."""


ERRORS = {kind.__name__: kind for kind in (RunsAPIError, NetworkError, InvalidResponse)}


class NotModified(Exception):  # noqa: N818
    """Another request is calling the API now, and no newer data than the page's is known."""


@dataclass(frozen=True, slots=True)
class CachedRead:
    """The result of one read.

    Both timestamps are Unix time in seconds, because other hosts compare them with their clocks.
    """

    asked_at: float
    """When the request was sent."""
    answered_at: float
    """When the response came, or when the call failed."""
    result: Json | RunsAPIError
    """The data of the response, or the error that the call raised."""

    def is_fresh(self) -> bool:
        """Return whether the response came within the last ``SHARED_READ_SECONDS``."""
        # The age counts from the response: a slow one would otherwise be stale when it comes.
        # A response from the future shows that a clock was set back, and is not fresh.
        return 0 <= time.time() - self.answered_at < settings.SHARED_READ_SECONDS

    @property
    def data(self) -> Json:
        """The data of the response. Raises the ``RunsAPIError`` that the call raised."""
        if isinstance(self.result, RunsAPIError):
            raise copy(self.result)  # each copy gets a traceback of its own
        return self.result

    def as_json(self) -> str:
        """Return the read as JSON, for the cache that processes and hosts share.

        ``{"asked_at": seconds, "answered_at": seconds, "answer": {...}}``. For an error,
        ``"error"`` (the name of a class in ``ERRORS``) and ``"fields"`` (an object, the
        attributes of the exception) stand in place of ``"answer"``.
        """
        times: dict[str, Any] = {"asked_at": self.asked_at, "answered_at": self.answered_at}
        if isinstance(self.result, RunsAPIError):
            result = {"error": type(self.result).__name__, "fields": vars(self.result)}
        else:
            result = {"answer": self.result}
        return json.dumps(times | result)

    @classmethod
    def from_json(cls, stored: object) -> Self | None:
        """Return the read that ``as_json`` wrote.

        ``None`` for a missing value, and for what another version of the dashboard may have
        stored in another shape.
        """
        try:
            read = json.loads(str(stored))
            result = read["answer"] if "answer" in read else _error(read["error"], read["fields"])
            return cls(float(read["asked_at"]), float(read["answered_at"]), result)
        except (ValueError, KeyError, TypeError):
            return None


class ReadCache:
    """The cache of one process, for all its threads.

    Processes and hosts share reads through Django's cache. ``target`` is always the path and the
    query of a read, and ``since`` a Unix timestamp in seconds.
    """

    def __init__(self) -> None:
        self._remembered: OrderedDict[str, CachedRead] = OrderedDict()
        self._in_flight: set[str] = set()
        self._lock = threading.Lock()

    def read(self, target: str, since: float, fetch: Callable[[], Json]) -> CachedRead:
        """Return a read of ``target`` that was requested at ``since`` or later.

        Calls ``fetch`` only if no fresh read is cached and no other request is calling the API.

        Raises:
            NotModified: another request is calling the API, and nothing newer is cached.
        """
        cached = self._remembered.get(target)
        if cached and cached.asked_at >= since and cached.is_fresh():
            return cached
        with self._lock:
            is_in_flight = target in self._in_flight
            self._in_flight.add(target)
        if is_in_flight:
            return self._last_known(target, since)
        try:
            return self._load_or_fetch(target, since, fetch)
        finally:
            self._in_flight.discard(target)

    def _load_or_fetch(self, target: str, since: float, fetch: Callable[[], Json]) -> CachedRead:
        key = _cache_key(target)
        if cached := self._load(target, key, since):
            return cached
        if not cache.add(f"{key}.asking", 1, settings.RUNS_API_READ_TIMEOUT + 1):
            return self._last_known(target, since)
        try:
            # Another process may have stored a response since this one looked for it.
            return self._load(target, key, since) or self._fetch(target, key, fetch)
        finally:
            cache.delete(f"{key}.asking")

    def _last_known(self, target: str, since: float) -> CachedRead:
        """Return the last read while another request calls the API, even if it is not fresh.

        The read must be newer than the page. It may be an error, which the page must show: a
        page must not claim that nothing has changed while the API cannot be read.
        """
        cached = self._remembered.get(target)
        if cached and cached.asked_at > since and time.time() - cached.answered_at < KEPT_SECONDS:
            return cached
        raise NotModified

    def _load(self, target: str, key: str, since: float) -> CachedRead | None:
        """Return a fresh read from Django's cache, if there is one."""
        cached = CachedRead.from_json(cache.get(key))
        if cached is None:
            return None
        self._remember(target, cached)
        return cached if cached.asked_at >= since and cached.is_fresh() else None

    def _fetch(self, target: str, key: str, fetch: Callable[[], Json]) -> CachedRead:
        asked_at = time.time()
        result: Json | RunsAPIError
        try:
            result = fetch()
        except RunsAPIError as error:
            result = error  # errors are shared like responses
        cached = CachedRead(asked_at, time.time(), result)
        stored = cached.as_json()
        if len(stored) <= SHARED_BYTES:
            cache.set(key, stored, KEPT_SECONDS)
        self._remember(target, cached)
        return cached

    def _remember(self, target: str, cached: CachedRead) -> None:
        """Keep a read in memory, and remove reads older than ``KEPT_SECONDS``."""
        with self._lock:
            self._remembered[target] = cached
            self._remembered.move_to_end(target)
            oldest = next(iter(self._remembered.values()))
            while oldest.answered_at < time.time() - KEPT_SECONDS and len(self._remembered) > 1:
                self._remembered.popitem(last=False)
                oldest = next(iter(self._remembered.values()))


class SharedRead:
    """The view of the read cache that one refresh of a page has.

    Each read of the refresh is at least as new as the read before. Otherwise a page could show
    a finished run beside an older state of its work order, in which that run is still active.
    """

    def __init__(self, since: float) -> None:
        self.since = since
        """When the newest data so far was requested, as a Unix timestamp in seconds."""
        self.oldest = time.time()
        """When the oldest data so far came, as a Unix timestamp in seconds."""

    def read(self, target: str, fetch: Callable[[], Json]) -> Json:
        """Return the data of ``target`` (path and query).

        Raises:
            NotModified: see ``ReadCache.read``.
            RunsAPIError: the call that read ``target`` failed.
        """
        cached = read_cache().read(target, self.since, fetch)
        self.since = max(self.since, cached.asked_at)
        self.oldest = min(self.oldest, cached.answered_at)
        return cached.data


@once
def read_cache() -> ReadCache:
    """Return the cache of this process."""
    return ReadCache()


def _error(kind: str, fields: dict[str, Any]) -> RunsAPIError:
    """Return an exception of the class named ``kind``, with the attributes in ``fields``."""
    error = ERRORS[kind](str(fields["message"]))
    vars(error).update(fields)
    return error


def _cache_key(target: str) -> str:
    """Return a key for Django's cache.

    A digest fits the length and alphabet that cache backends allow. The API's address is
    part of the digest, because dashboards of several APIs may share one cache.
    """
    digest = hashlib.blake2b(f"{settings.RUNS_API_URL} {target}".encode(), digest_size=16)
    return f"read.{digest.hexdigest()}"
