"""Clients of the configured runs API, one per purpose, all with the same address and key."""

from functools import cache

import httpx
from django.conf import settings
from django.utils.module_loading import import_string

from workorders.runs_api.client import RunsClient
from workorders.runs_api.health import HealthRecord
from workorders.runs_api.read_cache import SharedRead

EMBEDDED_APPLICATION = "workorders.embedded.wsgi.application"


@cache
def default_client() -> RunsClient:
    """Return the client that all threads of the process share."""
    return _client(HealthRecord(), calls=settings.RUNS_API_MAX_CALLS)


def page_client() -> RunsClient:
    """Return a client for one page: all reads together end within ``RUNS_API_READ_TIMEOUT``."""
    return default_client().within(settings.RUNS_API_READ_TIMEOUT)


def refresh_client(since: float) -> RunsClient:
    """Return a client for one refresh of an open page, which may share other requests' reads.

    Args:
        since: the Unix timestamp, in seconds, of the newest data that the page shows. Reads
            return nothing older.
    """
    seconds = settings.RUNS_API_READ_TIMEOUT
    return default_client().within(seconds, shared=SharedRead(since))


def start_client() -> RunsClient:
    """Return a client for one start of a run.

    All its calls together end within ``RUNS_API_TRIGGER_TIMEOUT`` (spec N7.1).
    """
    return default_client().within(settings.RUNS_API_TRIGGER_TIMEOUT)


def probing_client() -> RunsClient:
    """Return a client for the probe.

    It shares the health record of the pages' client, but has a connection of its own, so it
    never competes with pages.
    """
    return _client(default_client().record, calls=1)


@cache
def scraping_client() -> RunsClient:
    """Return a client for reading metrics.

    It has a health record of its own: an API that lacks the metrics endpoints must not count
    as unreachable.
    """
    return _client(HealthRecord(logs=False), calls=1)


def _client(record: HealthRecord, *, calls: int) -> RunsClient:
    timeout = httpx.Timeout(
        max(settings.RUNS_API_READ_TIMEOUT, settings.RUNS_API_TRIGGER_TIMEOUT),
        connect=settings.RUNS_API_CONNECT_TIMEOUT,
    )
    transport = None
    if not settings.RUNS_API_URL:
        # The embedded API is called in this process, with the same JSON and the same code path.
        transport = httpx.WSGITransport(app=import_string(EMBEDDED_APPLICATION))
    headers = {"Accept": "application/json"}
    if settings.RUNS_API_KEY:
        headers["Authorization"] = f"Bearer {settings.RUNS_API_KEY}"
    http = httpx.Client(
        base_url=settings.RUNS_API_URL or "http://embedded",
        headers=headers,
        timeout=timeout,
        limits=httpx.Limits(max_connections=calls),
        transport=transport,
    )
    return RunsClient(
        http,
        read_timeout=settings.RUNS_API_READ_TIMEOUT,
        trigger_timeout=settings.RUNS_API_TRIGGER_TIMEOUT,
        honours_keys=settings.RUNS_API_HONOURS_KEYS,
        record=record,
    )
