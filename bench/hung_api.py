"""Measures the health endpoints while people open pages and every call to the runs API hangs.

Run: ``python -m bench.hung_api`` from the top of the repository. Real product, real HTTP.
"""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.support import runs_api
from tests.support.product import Product, cookies_of_link

PEOPLE = 30
PAUSE_SECONDS = 1.0
"""A person's pause between two pages. Without a pause the processor would be the bottleneck."""
SECONDS = 5.0
ENDPOINTS = ("/healthz", "/readyz")


def main() -> None:
    with runs_api.serve() as api, tempfile.TemporaryDirectory() as directory:
        api.has()
        api.on("GET", "/work-orders", runs_api.items())
        settings = {"RUNS_API_URL": api.url, "RUNS_API_KEY": "a-key", "WEB_PROCESSES": "1"}
        for threads in ("4", "16"):
            with Product(Path(directory, threads), WEB_THREADS=threads, **settings) as product:
                measure(product, api, threads)


def measure(product: Product, api: runs_api.RunsAPI, threads: str) -> None:
    cookies = cookies_of_link(product.sign_in_link)
    httpx.get(f"{product.url}/work-orders/wo-1/", cookies=cookies, trust_env=False)  # all is well
    api.on("GET", "/work-orders/wo-1", runs_api.hang)
    end = time.monotonic() + SECONDS

    def open_pages() -> int:
        opened = 0
        with httpx.Client(base_url=product.url, cookies=cookies, trust_env=False) as browser:
            while time.monotonic() < end:
                browser.get("/work-orders/wo-1/", timeout=60)
                opened += 1
                time.sleep(PAUSE_SECONDS)
        return opened

    taken: dict[str, list[float]] = {path: [] for path in ENDPOINTS}
    with (
        ThreadPoolExecutor(PEOPLE) as people,
        httpx.Client(base_url=product.url, trust_env=False) as browser,
    ):
        opened = [people.submit(open_pages) for _ in range(PEOPLE)]
        while time.monotonic() < end or not taken["/healthz"]:
            for path in ENDPOINTS:
                start = time.monotonic()
                browser.get(path, timeout=60)
                taken[path].append(time.monotonic() - start)
            time.sleep(0.02)
        pages = sum(person.result() for person in opened)
    print(f"{threads} threads: {PEOPLE} people opened {pages} pages in {SECONDS:g} s")
    for path, seconds in taken.items():
        ordered = sorted(seconds)
        middle, most = ordered[len(ordered) // 2], ordered[-1]
        late = sum(each > 0.1 for each in ordered)
        print(f"  {path}: median {middle * 1000:.0f} ms, most {most * 1000:.0f} ms,", end=" ")
        print(f"{late} of {len(ordered)} over 100 ms")
    api.has()


if __name__ == "__main__":
    main()
