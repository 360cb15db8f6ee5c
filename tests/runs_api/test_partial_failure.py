"""One endpoint of the runs API hangs or fails: pages show the rest and name the missing part."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.page_text import LOG, orders, show, text_of
from tests.support.runs_api import RunsAPI
from workorders.runs_api.clients import default_client


@pytest.fixture
def all_but_one(runs_api: RunsAPI, settings: Settings) -> RunsAPI:
    """An API with all four resources that a run page reads; a test lets one of them fail."""
    settings.RUNS_API_READ_TIMEOUT = 5
    default_client.cache_clear()
    runs_api.has(status="queued", runs=[{"id": "run-1", "runNumber": 1, "status": "queued"}])
    runs_api.has_run(status="queued", logSize=100)
    runs_api.on("GET", "/runs/run-1/log", api.data(LOG))
    runs_api.on("GET", "/queue/health", api.data({"stats": {"running": 1, "maxConcurrent": 2}}))
    return runs_api


def test_run_page_shows_the_rest_without_the_work_order(
    all_but_one: RunsAPI, operator: Client
) -> None:
    all_but_one.on("GET", "/work-orders/wo-1", api.silence)
    text = text_of(show(operator, "/runs/run-1/"))
    assert "The work order could not be loaded" in text
    assert "last line" in text


def test_run_page_shows_the_rest_without_the_queue(all_but_one: RunsAPI, operator: Client) -> None:
    all_but_one.on("GET", "/queue/health", api.reset)
    text = text_of(show(operator, "/runs/run-1/"))
    assert "Fix the login" in text
    assert "last line" in text


def test_run_page_shows_the_rest_without_the_log(all_but_one: RunsAPI, operator: Client) -> None:
    all_but_one.on("GET", "/runs/run-1/log", api.reset)
    text = text_of(show(operator, "/runs/run-1/"))
    assert "The log could not be loaded" in text
    assert "1 of 2 slots busy" in text


def test_run_page_shows_the_listed_run_without_its_details(
    all_but_one: RunsAPI, operator: Client
) -> None:
    all_but_one.on("GET", "/runs/run-1", api.reset)
    listed = {"id": "run-1", "runNumber": 1, "status": "queued"}
    all_but_one.on("GET", "/runs", api.items(listed))
    assert "The runs API failed to show this run" in text_of(show(operator, "/runs/run-1/"))


def test_work_order_page_shows_the_rest_without_older_runs(
    all_but_one: RunsAPI, operator: Client
) -> None:
    all_but_one.on("GET", "/runs", api.reset)
    text = text_of(show(operator, "/work-orders/wo-1/?page=2"))
    assert "These runs could not be loaded." in text
    assert "Fix the login" in text


def test_search_shows_the_results_found_before_a_failure(
    all_but_one: RunsAPI, operator: Client
) -> None:
    def part(handler: api.Handler, asked: api.Asked) -> None:
        if asked.query.get("offset", "0") == "0":
            api.items(*orders(100), total=300, hasMore=True)(handler, asked)
        else:
            api.reset(handler, asked)

    all_but_one.on("GET", "/work-orders", part)
    text = text_of(show(operator, "/work-orders/?q=Task 42"))
    assert "wo-42" in text
    assert "Only its newest 100 work orders were looked through" in text
