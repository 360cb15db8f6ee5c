"""Metrics of the queue, the workers and the runs API: read at each scrape, absent when unknown."""

import pytest
from django.test import Client

from tests.support import runs_api as api
from tests.support.runs_api import RunsAPI
from tests.support.scraped import scrape
from workorders.runs_api.clients import default_client
from workorders.runs_api.probe import probe_once

GAUGES = ("queue_depth", "worker_slots", "worker_slots_busy")
NOTHING = [None, None, None]


def reports(runs_api: RunsAPI, **stats: object) -> None:
    runs_api.on("GET", "/queue/health", api.data({"stats": stats}))


def gauges() -> list[float | None]:
    scraped = scrape()
    return [scraped.value(name) for name in GAUGES]


def test_gauges_show_what_the_api_reports(runs_api: RunsAPI) -> None:
    reports(runs_api, waiting=7, running=2, maxConcurrent=4)
    assert gauges() == [7, 4, 2]
    reports(runs_api, waiting=0, running=0, maxConcurrent=4)
    assert gauges() == [0, 4, 0]


def test_embedded_api_reports_its_own_queue(db: None) -> None:
    scraped = scrape()
    assert [scraped.value(name) for name in (*GAUGES, "runs_api_up")] == [0, 0, 0, 1]


def test_missing_number_leaves_its_gauge_out(runs_api: RunsAPI) -> None:
    reports(runs_api, waiting=7, running=None)
    assert gauges() == [7, None, None]


@pytest.mark.parametrize(
    "reply",
    [
        api.refusal(404, "NOT_FOUND"),
        api.refusal(403, "FORBIDDEN"),
        api.refusal(500, "BROKEN"),
        api.answer(200, b"<html>", "text/html"),
        api.data({}),
        api.reset,
    ],
)
def test_missing_queue_health_leaves_all_gauges_out(runs_api: RunsAPI, reply: api.Reply) -> None:
    runs_api.on("GET", "/queue/health", reply)
    assert gauges() == NOTHING


@pytest.mark.parametrize("reply", [api.silence, api.dripping_header, api.dripping_body])
def test_scrape_does_not_wait_for_a_slow_api(runs_api: RunsAPI, reply: api.Reply) -> None:
    runs_api.on("GET", "/queue/health", reply)
    assert gauges() == NOTHING
    assert not runs_api.waited_out.is_set()


@pytest.mark.parametrize(
    "reply", [api.refusal(403, "FORBIDDEN"), api.refusal(502, "BAD"), api.reset]
)
def test_failed_queue_health_does_not_affect_readiness(
    runs_api: RunsAPI, client: Client, db: None, caplog: pytest.LogCaptureFixture, reply: api.Reply
) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    runs_api.on("GET", "/queue/health", reply)
    probe_once(default_client())
    assert scrape().value("runs_api_up") == 1
    assert client.get("/readyz").status_code == 200
    assert "cannot be used" not in caplog.text


def test_api_is_neither_up_nor_down_before_the_first_probe(runs_api: RunsAPI) -> None:
    reports(runs_api, waiting=0)
    assert scrape().value("runs_api_up") is None


def test_api_that_refuses_the_key_is_down(runs_api: RunsAPI) -> None:
    runs_api.on("GET", "/work-orders", api.refusal(401, "UNAUTHORIZED"))
    probe_once(default_client())
    assert scrape().value("runs_api_up") == 0


def test_lost_api_is_down_and_not_called_by_scrapes(runs_api: RunsAPI) -> None:
    runs_api.on("GET", "/work-orders", api.reset)
    probe_once(default_client())
    asked = len(runs_api.asked)
    assert scrape().value("runs_api_up") == 0
    assert gauges() == NOTHING
    assert len(runs_api.asked) == asked
