"""Hostile text, odd IDs and arbitrary JSON from the runs API: pages never crash."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from tests.runs_api.test_schemas import NESTED
from tests.support import runs_api as api
from tests.support.page_text import LOG, PAGES, show
from tests.support.runs_api import RunsAPI
from tests.support.thorough import THOROUGH
from tests.support.trigger_form import HTMX
from workorders.runs_api.clients import default_client

HOSTILE = "\"><script>alert('x')</script>{{ 7|add:7 }}\x1b[31m\x00"


def hostile_api(runs_api: RunsAPI) -> None:
    run = {
        "id": "run-1",
        "workOrderId": "wo-1",
        "status": HOSTILE,
        "profileName": HOSTILE,
        "error": HOSTILE,
        "logSize": 9,
        "overrides": {"profileName": HOSTILE},
        "iterations": [{"status": HOSTILE, "verification": {"output": HOSTILE}}],
    }
    runs_api.has(
        taskPrompt=HOSTILE * 20,
        profileName=HOSTILE,
        workspaceSource={"path": HOSTILE, "branch": HOSTILE},
        runs=[run | {"status": "failed"}, run | {"id": HOSTILE, "status": "failed"}],
    )
    runs_api.has_run(**run)
    entry = {"id": HOSTILE, "taskPrompt": HOSTILE, "status": HOSTILE}
    runs_api.on("GET", "/work-orders", api.items(entry))
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG | {"text": HOSTILE}))
    runs_api.on("GET", "/profiles", api.items({"name": HOSTILE}))


@pytest.mark.parametrize(
    "path", [*PAGES, "/work-orders/wo-1/trigger/", "/work-orders/?q=%3Cscript%3Ealert", "/sign-in/"]
)
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "page"])
def test_hostile_text_is_escaped(
    runs_api: RunsAPI, operator: Client, path: str, headers: dict[str, str]
) -> None:
    hostile_api(runs_api)
    html = operator.get(path, headers=headers).content.decode()
    assert "<script>" not in html


def test_hostile_text_is_shown_literally(runs_api: RunsAPI, operator: Client) -> None:
    hostile_api(runs_api)
    shown = "&quot;&gt;&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;{{ 7|add:7 }}"
    assert shown in show(operator, "/runs/run-1/")


@pytest.mark.parametrize("identifier", ["a%2Fb", "two words", "quo'te\"", "ü" * 100, "..", "%"])
def test_odd_ids_have_a_page(runs_api: RunsAPI, operator: Client, identifier: str) -> None:
    runs_api.on("GET", "/work-orders", api.items({"id": identifier, "taskPrompt": "Odd"}))
    runs_api.has(id=identifier)
    link = re.search(r'href="([^"]*)"[^>]*>Odd</a>', show(operator, "/work-orders/"))
    assert link
    assert "Work Order:" in show(operator, unescape(link[1]))


@pytest.mark.parametrize("subject", ["work-orders", "runs"])
@pytest.mark.parametrize(
    "identifier",
    ["a%2Fb", "%252E%252E", "%20", "%00", "%22%3E%3Cscript%3E", "x" * 20_000, "%FF%FE", "%0A"],
)
def test_odd_addresses_are_not_found(
    runs_api: RunsAPI, operator: Client, subject: str, identifier: str
) -> None:
    html = show(operator, f"/{subject}/{identifier}/", status=404)
    assert "<script>" not in html
    assert "Page not found" in html


def test_odd_address_does_not_reach_another_endpoint(runs_api: RunsAPI, operator: Client) -> None:
    operator.post("/work-orders/%2E%2E/trigger/", {"key": "c0ffee00-0000-4000-8000-000000000000"})
    assert {asked.path for asked in runs_api.asked} <= {
        "/work-orders/%2E%2E/runs",
        "/work-orders/%2E%2E",
        "/profiles",
    }


ID = st.text(min_size=1).filter(str.isprintable)


@given(value=NESTED, identifier=ID)
@settings(
    max_examples=400 if THOROUGH else 20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_arbitrary_response_breaks_no_page(
    runs_api: RunsAPI, operator: Client, value: dict[str, Any], identifier: str
) -> None:
    """Any JSON gives the page or an error page, never an internal error."""
    reply = api.data({"id": "wo-1", "workOrderId": identifier, "runId": identifier} | value)
    for path in (
        "/work-orders",
        "/work-orders/wo-1",
        "/runs/run-1",
        "/runs/run-1/log",
        "/profiles",
        "/queue/health",
    ):
        runs_api.on("GET", path, reply)
    for path in (*PAGES, "/work-orders/wo-1/trigger/"):
        assert operator.get(path).status_code in {200, 404, 422, 503}


def test_short_key_is_not_redacted_inside_words(
    runs_api: RunsAPI, operator: Client, settings: Settings
) -> None:
    settings.RUNS_API_KEY = "ask"
    default_client.cache_clear()
    runs_api.has(taskPrompt="Ask again")
    assert "Ask again" in show(operator, "/work-orders/wo-1/")
