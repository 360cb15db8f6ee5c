"""Runs API clients without a server: a function responds to their requests."""

from collections.abc import Callable
from typing import Any

import httpx

from workorders.runs_api.client import RunsClient
from workorders.runs_api.schemas import RunOverrides

type Call = Callable[[RunsClient], Any]


def client_for(handler: Callable[[httpx.Request], httpx.Response]) -> RunsClient:
    """A client whose requests go to ``handler``."""
    transport = httpx.MockTransport(handler)
    return RunsClient(httpx.Client(transport=transport, base_url="http://runs.test"))


def trigger(work_order_id: str = "wo-1") -> Call:
    """A call that triggers a run without overrides."""
    return lambda client: client.trigger_run(
        work_order_id, RunOverrides(), idempotency_key="the-key"
    )
