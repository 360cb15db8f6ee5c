"""Times of pages and memory of processes while the database grows."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import httpx

from bench.figures import Figure
from bench.load import Loaded, ensure_wrk, load
from bench.product_server import BROWSER_HEADERS, ProductServer, product_server
from bench.scale import Scale

PART = "Growth, page times with 1 connection"
PAGE_SIZE = 20
RUNS_PER_PAGE = 50
FLAT = 1.5
"""The goal: how many times slower a page may be with the most rows than with the fewest."""
DOWNLOAD_SECONDS = 120
"""Time-out for the download of the longest log."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Median milliseconds until the response; milliseconds of the web server's CPU per request."""

    median: float
    cpu: float


type Times = dict[str, Cost]
"""The cost of each page, by the page's name."""


def measure(scale: Scale) -> Iterator[Figure]:
    ensure_wrk()
    with product_server() as product:
        headers = BROWSER_HEADERS | {"Cookie": product.rows("sessions", count=1)[0]}
        yield from _more_work_orders(product, headers, scale)
        yield from _more_runs(product, headers, scale)
        yield from _longer_log(product, headers, scale)


def _more_work_orders(
    product: ProductServer, headers: dict[str, str], scale: Scale
) -> Iterator[Figure]:
    first: Times = {}
    subject = product.rows("work_order", runs=1)[0]
    run = product.rows("newest_run", work_order_id=subject)
    for count in scale.work_orders:
        product.rows("work_orders", count=count)
        pages = {
            "list page": "/work-orders/",
            "list page, by status": "/work-orders/?status=failed",
            "list page, search finds many": "/work-orders/?q=discount",
            "list page, search finds none": "/work-orders/?q=no-such-words",
            "list page, the last": f"/work-orders/?page={-(-count // PAGE_SIZE)}",
            "work order page": f"/work-orders/{subject}/",
            "run page": f"/runs/{run}/",
        }
        times = _times(product, headers, pages, scale.page_seconds)
        first = first or times
        what = f"{count:,} work orders"
        yield from _figures(what, times, first, None if times is first else FLAT)
        yield from _memory(product, what)


def _more_runs(product: ProductServer, headers: dict[str, str], scale: Scale) -> Iterator[Figure]:
    first: Times = {}
    for count in scale.runs:
        subject = product.rows("work_order", runs=count)[0]
        run = product.rows("newest_run", work_order_id=subject)
        pages = {
            "work order page": f"/work-orders/{subject}/",
            "work order page, last page of runs": (
                f"/work-orders/{subject}/?page={-(-count // RUNS_PER_PAGE)}"
            ),
            "run page": f"/runs/{run}/",
        }
        times = _times(product, headers, pages, scale.page_seconds)
        first = first or times
        what = f"{count:,} run{'' if count == 1 else 's'} of it"
        yield from _figures(what, times, first, None)
        yield from _memory(product, what)


def _longer_log(product: ProductServer, headers: dict[str, str], scale: Scale) -> Iterator[Figure]:
    first: Times = {}
    subject = product.rows("work_order", runs=1)[0]
    for size in scale.log_bytes:
        run = product.rows("log", work_order_id=subject, size=size)
        times = _times(product, headers, {"run page": f"/runs/{run}/"}, scale.page_seconds)
        first = first or times
        what = f"log of {size / 1e6:g} MB"
        yield from _figures(what, times, first, None)
        seconds = _download(f"{product.url}/runs/{run}/log/", headers, size)
        yield Figure(PART, f"whole log as a file, {what}", seconds * 1000, "ms")
        yield from _memory(product, what)


def _times(
    product: ProductServer, headers: dict[str, str], pages: dict[str, str], seconds: int
) -> Times:
    times = {}
    for name, path in pages.items():
        url = product.url + path
        httpx.get(url, headers=headers, timeout=30, trust_env=False).raise_for_status()
        loaded, cpu = product.weighed(partial(_load, url, headers, seconds))
        times[name] = Cost(loaded.p50, cpu / loaded.requests * 1000)
    return times


def _load(url: str, headers: dict[str, str], seconds: int) -> Loaded:
    return load(url, headers, connections=1, seconds=seconds)


def _figures(what: str, times: Times, first: Times, goal: float | None) -> Iterator[Figure]:
    for name, cost in times.items():
        yield Figure(PART, f"{name}, {what}, median", cost.median, "ms")
        yield Figure(PART, f"{name}, {what}, CPU", cost.cpu, "ms/request")
        if times is not first:
            ratio = cost.median / first[name].median
            yield Figure(PART, f"{name}, {what}, to the fewest", ratio, "times", goal)


def _memory(product: ProductServer, what: str) -> Iterator[Figure]:
    yield Figure(PART, f"memory of the web server, {what}", product.web().memory / 1e6, "MB")
    yield Figure(PART, f"memory of the workers, {what}", product.workers().memory / 1e6, "MB")


def _download(url: str, headers: dict[str, str], size: int) -> float:
    began, received = time.monotonic(), 0
    options = {"headers": headers, "timeout": DOWNLOAD_SECONDS, "trust_env": False}
    with httpx.stream("GET", url, **options) as response:  # type: ignore[arg-type]
        response.raise_for_status()
        for piece in response.iter_bytes():
            received += len(piece)
    if received != size:
        raise RuntimeError(f"{received} of {size} bytes of a log arrived")
    return time.monotonic() - began
