"""Budgets of pages: bytes, API calls and queries. ``bench/`` measures time."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from tests.support.page_text import LOG, orders, show, version_of
from tests.support.runs_api import RunsAPI, data, items
from tests.support.trigger_form import HTMX, TriggerForm
from workorders.runs_api.read_cache import read_cache
from workorders.web import polling

COLD_PAGE_BYTES = 40_000
HTML_BYTES = 8_000
CSS_BYTES = 10_000
REQUESTS = 16
RUNS = [
    {
        "id": f"run-{number}",
        "runNumber": number,
        "status": "failed",
        "queuedAt": "2026-01-02T10:00:00.000Z",
        "startedAt": "2026-01-02T10:00:01.000Z",
        "completedAt": f"2026-01-02T10:{number:02}:13.000Z",
        "iterationCount": 5,
    }
    for number in range(50, 0, -1)
]


@pytest.fixture(autouse=True)
def _api(runs_api: RunsAPI) -> None:
    waiting = {"id": "run-1", "runNumber": 1, "status": "queued"}
    runs_api.has(runs=[*RUNS[:-1], waiting], prompt="Fix the login. " * 40)
    runs_api.has_run(status="queued", logSize=100)
    runs_api.on("GET", "/runs/run-1/log", data(LOG))
    runs_api.on("GET", "/queue/health", data({"stats": {"running": 1, "maxConcurrent": 2}}))
    runs_api.on("GET", "/profiles", items({"name": "careful", "maxIterations": 8}))
    listed = [entry | {"taskPrompt": entry["taskPrompt"] * 20} for entry in orders(20)]
    runs_api.on("GET", "/work-orders", items(*listed, total=1000))


def static_files(html: str) -> Iterator[Path]:
    for name in re.findall(r'(?:href|src)="/static/([^"]+)"', html):
        found = finders.find(name)
        assert isinstance(found, str)
        yield Path(found)


def compressed(path: Path) -> int:
    """The size in bytes as the web server sends the file."""
    return len(brotli.compress(path.read_bytes()))


PAGES = ["/work-orders/", "/work-orders/wo-1/", "/runs/run-1/", "/work-orders/wo-1/trigger/"]


@pytest.mark.parametrize("path", PAGES)
def test_page_stays_within_its_byte_budget(operator: Client, path: str) -> None:
    html = show(operator, path)
    files = list(static_files(html))
    size = len(gzip.compress(html.encode()))
    assert size <= HTML_BYTES
    assert size + sum(map(compressed, files)) <= COLD_PAGE_BYTES
    assert 1 + len(files) <= REQUESTS
    assert "http" not in re.sub(r"http://www.w3.org|http-equiv", "", html)  # no other host


def test_styles_stay_within_their_byte_budget(operator: Client) -> None:
    files = static_files(show(operator, "/work-orders/"))
    sizes = [compressed(path) for path in files if path.suffix == ".css"]
    assert len(sizes) == 4
    assert sum(sizes) <= CSS_BYTES


@pytest.mark.parametrize(
    ("path", "calls"),
    [
        ("/work-orders/", 1),
        ("/work-orders/wo-1/", 1),
        ("/work-orders/wo-1/trigger/", 2),
        ("/runs/run-1/", 4),  # run, work order, queue (since the run waits) and log
        ("/preferences/", 0),
        ("/work-orders/wo-1/attempts/", 0),
    ],
)
def test_page_makes_few_api_calls(
    runs_api: RunsAPI, operator: Client, path: str, calls: int
) -> None:
    operator.get(path)
    assert len(runs_api.asked) == calls


def test_start_makes_two_api_calls(runs_api: RunsAPI, form: TriggerForm) -> None:
    """The work order is read again, so that no start is based on outdated data."""
    runs_api.triggers(data({"runId": "run-51", "runNumber": 51, "status": "queued"}, 201))
    form.open()
    runs_api.asked.clear()
    form.send()
    assert [asked.method for asked in runs_api.asked] == ["GET", "POST"]


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        # Session, user, own permissions, those of groups; then the page's own.
        ("/work-orders/", 4),
        ("/work-orders/wo-1/", 4 + 1),  # attempts
        ("/work-orders/wo-1/trigger/", 4),
        ("/runs/run-1/", 4 + 3),  # its work order, its attempt, and attempts without a run
        ("/preferences/", 2),
    ],
)
def test_page_makes_few_queries(
    operator: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    path: str,
    queries: int,
) -> None:
    with django_assert_max_num_queries(queries):
        show(operator, path)


def test_unchanged_refresh_makes_two_queries(
    operator: Client, settings: Settings, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Session and user, and nothing else."""
    settings.SHARED_READ_SECONDS = 86_400
    read_cache.cache_clear()
    polling._versions.clear()
    version = version_of(show(operator, "/work-orders/wo-1/"))
    with django_assert_max_num_queries(2):
        response = operator.get(f"/work-orders/wo-1/?version={version}", headers=HTMX)
    assert response.status_code == 204
    polling._versions.clear()
