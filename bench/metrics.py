"""Measures the CPU time that metrics and ``Server-Timing`` add.

The figures are for a request, a call to the runs API, and a scrape of ``/metrics``. The counters
are in files, as they are in the web server's processes.

    python -m bench.metrics [--repeat 20]
"""

import argparse
import os
import statistics
import tempfile
import time
import timeit
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

DIRECTORY = tempfile.TemporaryDirectory()
Path(DIRECTORY.name, "static").mkdir()
TOKEN = "a-token-for-this-bench-only"
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "dashboard.settings",
    "DATA_DIR": DIRECTORY.name,
    "METRICS_TOKEN": TOKEN,
    "RUNS_API_URL": "http://127.0.0.1:9",
}

import_module("dashboard.wsgi")  # sets up Django as in the web server

from django.contrib.auth.models import User  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.urls import resolve  # noqa: E402

from workorders.observability.middleware import MetricsMiddleware  # noqa: E402
from workorders.runs_api.call_recorder import LoggedCall  # noqa: E402
from workorders.runs_api.envelope import Envelope  # noqa: E402
from workorders.status.metrics_endpoint import metrics  # noqa: E402

NUMBER = 2000


def milliseconds(call: Callable[[], object], repeat: int, number: int = NUMBER) -> float:
    """CPU milliseconds of one call: the median of ``repeat`` rounds of ``number`` calls."""
    rounds = timeit.repeat(call, timer=time.process_time, number=number, repeat=repeat)
    return statistics.median(rounds) / number * 1000


def view(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    return HttpResponse()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=20)
    repeat = parser.parse_args().repeat
    path = "/work-orders/wo-1/"
    request = RequestFactory().get(path, {"version": "x"}, headers={"HX-Request": "true"})
    request.resolver_match, request.user = resolve(path), User()
    middleware = MetricsMiddleware(view)
    alone = milliseconds(lambda: view(request), repeat)
    around = milliseconds(lambda: middleware(request), repeat)
    envelope = Envelope({}, "")
    call = milliseconds(
        lambda: LoggedCall("GET", "/work-orders/wo-1", {}).answered(200, envelope), repeat
    )
    scraper = RequestFactory().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    size = len(metrics(scraper).content)
    scrape = milliseconds(lambda: metrics(scraper), repeat, number=5)
    print(f"CPU: a request {around - alone:.4f} ms, a call {call:.4f} ms, a scrape {scrape:.1f} ms")
    print(f"({size} bytes; the runs API is away)")


if __name__ == "__main__":
    main()
