"""Times that an operator waits, in Chromium, with the embedded runs API and two workers.

Every page is opened by a browser with an empty cache. The page itself measures the times: from
the navigation, or from the timestamp of the click, to the paint.
"""

import time
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.figures import Figure, median_and_p95, percentile
from bench.product_server import ProductServer, product_server
from bench.scale import Scale
from tests.support.chromium import launch_options
from tests.support.ensure_browser import install, is_installed

PART = "Browser, cold, embedded runs API"
RUNS = 20
HOVER_SECONDS = 0.15
"""The shortest time that a pointer rests on a button before a press."""

LARGEST_PAINT = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime))
        .observe({type: 'largest-contentful-paint', buffered: true});
})"""
# A message posted in a frame's callback arrives after that frame was painted.
WATCH_DIALOG = """() => {
    const button = document.getElementById('trigger-run-button');
    window.dialogPainted = new Promise((resolve) => {
        let clicked;
        button.addEventListener('click', (event) => { clicked = event.timeStamp; },
            {capture: true, once: true});
        const observer = new MutationObserver(() => {
            if (!document.querySelector('dialog[open] #start-run')) return;
            observer.disconnect();
            requestAnimationFrame(() => {
                const {port1, port2} = new MessageChannel();
                port1.onmessage = () => resolve(performance.now() - clicked);
                port2.postMessage(null);
            });
        });
        observer.observe(document.getElementById('trigger-dialog'),
            {attributes: true, childList: true, subtree: true});
    });
}"""
# The click is on one page and the paint on the next one. Both are pages of one browser, so their
# timestamps are comparable once each page's time origin is added.
WATCH_CONFIRM = """() => document.getElementById('start-run').addEventListener('click', (event) =>
    sessionStorage.setItem('clicked', performance.timeOrigin + event.timeStamp), {once: true})"""
FIRST_PAINT = """() => new Promise((resolve) => {
    const report = (paint) => paint && resolve(
        performance.timeOrigin + paint.startTime - Number(sessionStorage.getItem('clicked')));
    new PerformanceObserver((list) => report(list.getEntriesByName('first-contentful-paint')[0]))
        .observe({type: 'paint', buffered: true});
})"""


def measure(scale: Scale) -> Iterator[Figure]:
    if not (is_installed() or install()):
        raise RuntimeError("The bench needs Chromium, which could not be installed.")
    with product_server() as product, sync_playwright() as playwright:
        ids = product.rows("work_order", runs=RUNS, runnable=scale.samples)
        browser = playwright.chromium.launch(**launch_options(playwright))
        cookies = _cookies(product)
        yield from _cold_pages(browser, product, cookies, ids)
        yield from _dialogs(browser, product, cookies, ids)
        browser.close()


def _cookies(product: ProductServer) -> list[dict[str, Any]]:
    header = product.rows("sessions", count=1)[0]
    pairs = (pair.split("=") for pair in header.split("; "))
    return [{"name": name, "value": value, "url": product.url} for name, value in pairs]


def _open_browser(browser: Browser, product: ProductServer, cookies: list[Any]) -> Page:
    context = browser.new_context(base_url=product.url)
    context.add_cookies(cookies)
    return context.new_page()


def _cold_pages(
    browser: Browser, product: ProductServer, cookies: list[Any], ids: list[str]
) -> Iterator[Figure]:
    painted, transferred, page_bytes, requests = [], [], [], []
    for work_order_id in ids:
        page = _open_browser(browser, product, cookies)
        sizes: list[float] = []
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on(
            "Network.loadingFinished", lambda event, s=sizes: s.append(event["encodedDataLength"])
        )
        page.goto(f"/work-orders/{work_order_id}/", wait_until="networkidle")
        painted.append(page.evaluate(LARGEST_PAINT))
        transferred.append(sum(sizes) / 1000)
        page_bytes.append(sizes[0] / 1000)
        requests.append(len(sizes))
        page.context.close()
    name = "work order page"
    yield Figure(PART, f"{name}, cold transfer", percentile(transferred, 50), "KB", 40)
    yield Figure(PART, f"{name}, of that HTML with its header", percentile(page_bytes, 50), "KB", 8)
    yield Figure(PART, f"{name}, requests", percentile(requests, 50), "requests")
    yield from median_and_p95(PART, f"{name}, largest paint", painted, "ms", goal=150)


def _dialogs(
    browser: Browser, product: ProductServer, cookies: list[Any], ids: list[str]
) -> Iterator[Figure]:
    at_once, hovered, started = [], [], []
    for work_order_id in ids:
        page = _open_browser(browser, product, cookies)
        hovered.append(_open_dialog(page, work_order_id, hover=True))
        at_once.append(_open_dialog(page, work_order_id, hover=False))
        page.evaluate(WATCH_CONFIRM)
        page.click("#start-run")
        page.wait_for_url("**/runs/**", wait_until="commit")
        started.append(page.evaluate(FIRST_PAINT))
        page.context.close()
    yield from median_and_p95(PART, "click → dialog painted", at_once, "ms", goal=80)
    yield from median_and_p95(PART, "the same, pointer rested before", hovered, "ms", goal=80)
    confirm = "confirm → run page painted"
    yield from median_and_p95(PART, confirm, started, "ms", goal=150, p95_goal=300)


def _open_dialog(page: Page, work_order_id: str, *, hover: bool) -> float:
    """Milliseconds from the click to the painted dialog."""
    page.goto(f"/work-orders/{work_order_id}/", wait_until="networkidle")
    page.evaluate(WATCH_DIALOG)
    if hover:
        page.hover("#trigger-run-button")
        time.sleep(HOVER_SECONDS)
    page.click("#trigger-run-button")
    taken: float = page.evaluate("() => window.dialogPainted")
    return taken
