"""Measures many open pages of work orders whose runs are active, on one machine.

The runs API is a process that costs almost nothing and counts its calls. The open pages are
another process. Both share the cores with the dashboard.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from urllib.parse import urlsplit

import httpx

from bench import counting_api
from bench.figures import Figure, percentile
from bench.open_pages import MEASURING, Seen, Watch
from bench.product_server import ProductServer, product_server
from bench.scale import Scale
from tests.support.product import ROOT, wait_until

PART = "Live pages, each refreshed every 2 s"
INTERVAL_SECONDS = 2
OPERATORS = 20
GOAL_PAGES = 1000
P95_GOAL_MS = 200
CALLS_GOAL = 1
"""API calls per second for each work order, no matter how many pages show it."""
SEED = 7


def measure(scale: Scale) -> Iterator[Figure]:
    with _counting_api() as api_url, product_server(RUNS_API_URL=api_url) as dashboard:
        cookies = dashboard.rows("sessions", count=OPERATORS)
        for count in scale.open_pages:
            yield from _watched(api_url, dashboard, cookies, count, scale)


@contextmanager
def _counting_api() -> Iterator[str]:
    """Start the runs API of ``bench.counting_api``; yields its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface=rsgi", f"--port={port}"]
    command += ["--log-level=error", "bench.counting_api:app"]
    process = subprocess.Popen(command, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _responds(url))
        yield url
    finally:
        process.terminate()
        process.wait()


def _responds(url: str) -> bool:
    try:
        return httpx.get(f"{url}/calls", trust_env=False).is_success
    except httpx.TransportError:
        return False


def _calls(url: str) -> int:
    """How many reads of work orders the API has counted, without the calls of the health probe."""
    counted = httpx.get(f"{url}/calls", trust_env=False).json()
    return sum(calls for path, calls in counted.items() if path.startswith(counting_api.ORDERS))


def _watched(
    api_url: str, dashboard: ProductServer, cookies: list[str], count: int, scale: Scale
) -> Iterator[Figure]:
    ids = counting_api.order_ids()
    web, api = urlsplit(dashboard.url), urlsplit(api_url)
    watch = Watch(
        host=web.hostname or "",
        port=web.port or 0,
        api_host=api.hostname or "",
        api_port=api.port or 0,
        pages=[dashboard.refresh_path(f"/work-orders/{each}/", cookies[0]) for each in ids],
        changes=[f"/change/{each}" for each in ids],
        cookies=cookies,
        count=count,
        interval=INTERVAL_SECONDS,
        warm_up_seconds=scale.live_warm_up_seconds,
        seconds=scale.live_seconds,
        seed=SEED,
    )
    command = (sys.executable, "-m", "bench.open_pages")
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as pages:
        assert pages.stdin
        assert pages.stdout
        pages.stdin.write(json.dumps(asdict(watch)))
        pages.stdin.close()
        if pages.stdout.readline().strip() != MEASURING:
            raise RuntimeError("the open pages ended before anything was measured")
        began, cpu, calls = time.monotonic(), dashboard.web().cpu_seconds, _calls(api_url)
        seen = Seen(**json.loads(pages.stdout.readline()))
        seconds = time.monotonic() - began
        cpu, calls = dashboard.web().cpu_seconds - cpu, _calls(api_url) - calls
    yield from _figures(count, seen, seconds, cpu, calls / seconds / len(ids))


def _figures(
    count: int, seen: Seen, seconds: float, cpu: float, calls_per_order: float
) -> Iterator[Figure]:
    pages = f"{count:,} pages"
    p95_goal = P95_GOAL_MS if count <= GOAL_PAGES else None
    refreshes = len(seen.refreshes)
    yield Figure(PART, f"{pages}, refreshes", refreshes / seconds, "requests/s")
    yield Figure(
        PART, f"{pages}, of those wanted", refreshes / seconds * INTERVAL_SECONDS / count * 100, "%"
    )
    yield Figure(PART, f"{pages}, failed refreshes", seen.failures, "requests", 0)
    yield Figure(PART, f"{pages}, refresh, median", percentile(seen.refreshes, 50), "ms")
    yield Figure(PART, f"{pages}, refresh, p95", percentile(seen.refreshes, 95), "ms", p95_goal)
    first = [min(delays) for delays in seen.delays if delays]
    every = [delay for delays in seen.delays for delay in delays]
    yield Figure(PART, f"{pages}, change → first page shows it", percentile(first, 50), "ms")
    yield Figure(PART, f"{pages}, change → 95 % of pages show it", percentile(every, 95), "ms")
    yield Figure(PART, f"{pages}, change never shown", seen.never_shown, "pages", 0)
    yield Figure(PART, f"{pages}, CPU of the web server", cpu / seconds, "cores")
    yield Figure(PART, f"{pages}, the same for each refresh", cpu / max(refreshes, 1) * 1000, "ms")
    yield Figure(PART, f"{pages}, CPU of the pages themselves", seen.cpu_seconds / seconds, "cores")
    yield Figure(
        PART, f"{pages}, API calls for each work order", calls_per_order, "calls/s", CALLS_GOAL
    )
