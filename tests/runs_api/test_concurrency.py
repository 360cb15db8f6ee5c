"""Pages that need two responses of the runs API request both at the same time."""

import threading

import pytest
from django.test import Client

from tests.support.page_text import show
from tests.support.runs_api import Asked, Handler, Reply, RunsAPI, data, items

RUN = {"id": "run-1", "workOrderId": "wo-1", "status": "queued", "logSize": 4}
LOG = {"text": "done", "offset": 0, "nextOffset": 4, "size": 4}


@pytest.fixture
def together() -> threading.Barrier:
    return threading.Barrier(2, timeout=30)


def after_both_requested(barrier: threading.Barrier, reply: Reply) -> Reply:
    """A reply that waits until both resources are requested, and so fails sequential requests."""

    def wait_and_reply(handler: Handler, asked: Asked) -> None:
        barrier.wait()
        reply(handler, asked)

    return wait_and_reply


def test_dialog_reads_work_order_and_profiles_concurrently(
    runs_api: RunsAPI, operator: Client, together: threading.Barrier
) -> None:
    runs_api.has()
    work_order = runs_api.replies["GET", "/work-orders/wo-1"]
    runs_api.on("GET", "/work-orders/wo-1", after_both_requested(together, work_order))
    profiles = items({"name": "careful", "maxIterations": 8})
    runs_api.on("GET", "/profiles", after_both_requested(together, profiles))
    assert "careful (8 iterations)" in show(operator, "/work-orders/wo-1/trigger/")


def test_run_page_reads_work_order_and_log_concurrently(
    runs_api: RunsAPI, operator: Client, together: threading.Barrier
) -> None:
    runs_api.has()
    runs_api.on("GET", "/runs/run-1", data(RUN | {"status": "failed"}))
    work_order = runs_api.replies["GET", "/work-orders/wo-1"]
    runs_api.on("GET", "/work-orders/wo-1", after_both_requested(together, work_order))
    runs_api.on("GET", "/runs/run-1/log", after_both_requested(together, data(LOG)))
    html = show(operator, "/runs/run-1/")
    assert "Fix the login" in html
    assert "done" in html
