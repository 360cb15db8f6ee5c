"""Polling of open pages: the responses to refreshes, and when polling stops."""

import re

import pytest
from django.test import Client

from tests.support import runs_api as api
from tests.support.page_text import LOG, PAGES, orders, show, version_of
from tests.support.runs_api import RunsAPI
from tests.support.trigger_form import HTMX
from workorders.web import polling


@pytest.fixture
def api_with_all(runs_api: RunsAPI) -> RunsAPI:
    runs_api.has(status="queued")
    runs_api.has_run(status="queued")
    runs_api.on("GET", "/work-orders", api.items(*orders(1)))
    return runs_api


@pytest.mark.parametrize("path", PAGES)
def test_refresh_returns_the_fragment(api_with_all: RunsAPI, operator: Client, path: str) -> None:
    html = show(operator, path, htmx=True)
    assert html.lstrip().startswith('<div id="live"')
    assert "<html" not in html


@pytest.mark.parametrize("path", PAGES)
def test_unchanged_refresh_returns_204(api_with_all: RunsAPI, operator: Client, path: str) -> None:
    version = version_of(show(operator, path))
    assert show(operator, f"{path}?version={version}", status=204, htmx=True) == ""


@pytest.mark.parametrize("path", PAGES)
def test_changed_refresh_returns_the_new_content(
    api_with_all: RunsAPI, operator: Client, path: str
) -> None:
    version = version_of(show(operator, path))
    api_with_all.has(status="failed")
    api_with_all.has_run(status="failed")
    api_with_all.on("GET", "/work-orders", api.items(*orders(2)))
    html = show(operator, f"{path}?version={version}", htmx=True)
    assert "failed" in html
    assert version_of(html) != version


@pytest.mark.parametrize("path", PAGES)
def test_refresh_returns_503_while_the_api_is_down(
    runs_api: RunsAPI, operator: Client, path: str
) -> None:
    runs_api.go_away()
    assert show(operator, path, status=503, htmx=True) == ""


@pytest.mark.parametrize("path", PAGES)
def test_caches_keep_pages_and_fragments_apart(
    api_with_all: RunsAPI, operator: Client, path: str
) -> None:
    response = operator.get(path)
    assert "HX-Request" in response["Vary"]
    assert {"private", "no-cache"} <= set(re.split(r",\s*", response["Cache-Control"]))


def test_pages_that_nobody_looks_at_do_not_fill_the_memory(
    api_with_all: RunsAPI, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "MAX_VERSIONS", 2)
    for number in range(4):
        show(operator, f"/work-orders/?page={number}")
    assert len(polling._versions) <= 2


def test_refresh_stops_at_a_final_status(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(status="failed")
    assert "data-live" not in show(operator, "/runs/run-1/")


def test_refresh_continues_until_the_end_of_the_log(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(status="failed", logSize=100)
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG | {"nextOffset": 95}))
    assert 'data-live="2"' in show(operator, "/runs/run-1/")


def test_refresh_after_signing_out_redirects_to_sign_in(client: Client, db: None) -> None:
    headers = HTMX | {"HX-Current-URL": "http://testserver/runs/run-1/"}
    response = client.get("/runs/run-1/?version=x", headers=headers)
    assert response["HX-Redirect"] == "/sign-in/?next=/runs/run-1/"
