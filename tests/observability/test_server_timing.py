"""The ``Server-Timing`` header: the time of a page, of its API calls and of its queries."""

import re
from typing import NamedTuple

import pytest
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.support import runs_api as api
from tests.support.page_text import PAGES, orders, show, version_of
from tests.support.runs_api import RunsAPI
from tests.support.trigger_form import HTMX


class Share(NamedTuple):
    milliseconds: float
    parts: int
    """Number of API calls or of queries."""


def shares(response: HttpResponseBase) -> dict[str, Share]:
    """The entries of the header by name; ``AssertionError`` when the header is malformed."""
    found = {}
    for entry in response["Server-Timing"].split(", "):
        parts = re.fullmatch(r'(\w+);dur=(\d+\.\d)(?:;desc="(\d+) [a-z]+")?', entry)
        assert parts, entry
        found[parts[1]] = Share(float(parts[2]), int(parts[3] or 0))
    return found


@pytest.mark.parametrize("path", PAGES)
def test_page_reports_its_calls(runs_api: RunsAPI, operator: Client, path: str) -> None:
    runs_api.has()
    runs_api.has_run()
    runs_api.on("GET", "/work-orders", api.items(*orders(1)))
    found = shares(operator.get(path))
    assert set(found) == {"total", "api", "db"}
    assert found["api"].parts == len(runs_api.asked) >= 1
    assert 0 < found["api"].milliseconds <= found["total"].milliseconds


def test_concurrent_calls_are_reported(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has()
    runs_api.has_run(status="queued", logSize=100)
    response = operator.get("/runs/run-1/")
    assert shares(response)["api"].parts == len(runs_api.asked) == 4


def test_each_request_reports_only_its_own_calls(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has()
    assert [shares(operator.get("/work-orders/wo-1/"))["api"].parts for _ in range(2)] == [1, 1]


def test_call_without_a_response_is_reported(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders/wo-1", api.reset)
    response = operator.get("/work-orders/wo-1/")
    assert response.status_code == 503
    assert shares(response)["api"].parts == 1


def test_unchanged_refresh_reports_its_call(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has()
    version = version_of(show(operator, "/work-orders/wo-1/"))
    response = operator.get(f"/work-orders/wo-1/?version={version}", headers=HTMX)
    assert response.status_code == 204
    assert shares(response)["api"].parts == 1


def test_queries_are_reported(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has()
    with CaptureQueriesContext(connection) as queries:
        response = operator.get("/work-orders/wo-1/")
    assert shares(response)["db"].parts == len(queries) > 0


def test_queries_of_the_embedded_api_count_as_its_call(operator: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = operator.get("/work-orders/")
    found = shares(response)
    assert found["api"].parts == 1
    assert 0 < found["db"].parts < len(queries)


@pytest.mark.parametrize("path", ["/sign-in/", "/work-orders/", "/no-such-page/", "/healthz"])
def test_anonymous_user_gets_no_timing(client: Client, db: None, path: str) -> None:
    assert "Server-Timing" not in client.get(path).headers
