"""The clients of the configured runs API: one per purpose, all with the same address and key."""

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
    """The client of the configured runs API; one for all threads of a process."""
    return _client(HealthRecord(), calls=settings.RUNS_API_MAX_CALLS)


def page_client() -> RunsClient:
    """The same for one page, whose reads share one deadline, however many there are."""
    return default_client().within(settings.RUNS_API_READ_TIMEOUT)


def refresh_client(since: float) -> RunsClient:
    """The same for a page that refreshes itself and shows the moment ``since`` (time of day)."""
    seconds = settings.RUNS_API_READ_TIMEOUT
    return default_client().within(seconds, shared=SharedRead(since))


def start_client() -> RunsClient:
    """The same for one start of a run, which answers within a trigger's time-out (N7.1),
    however many calls it takes."""
    return default_client().within(settings.RUNS_API_TRIGGER_TIMEOUT)


def probing_client() -> RunsClient:
    """Tells the same record, but needs none of the places that pages wait for."""
    return _client(default_client().record, calls=1)


@cache
def scraping_client() -> RunsClient:
    """For figures beside the pages: its record is its own, so that an API which does not tell
    them is not taken for one that is lost."""
    return _client(HealthRecord(logs=False), calls=1)


def _client(record: HealthRecord, *, calls: int) -> RunsClient:
    timeout = httpx.Timeout(
        max(settings.RUNS_API_READ_TIMEOUT, settings.RUNS_API_TRIGGER_TIMEOUT),
        connect=settings.RUNS_API_CONNECT_TIMEOUT,
    )
    transport = None
    if not settings.RUNS_API_URL:
        # Same JSON, same code path; only the wire is a function call.
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
