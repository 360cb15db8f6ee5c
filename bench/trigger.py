"""How long an operator waits: confirm → new run page painted, and what the page weighs.

Starts the whole product (embedded API, two workers) in a directory of its own
and drives it with the browser that the tests use.

    python -m bench.trigger [--triggers 20]
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.chromium import launch_options
from tests.product import Product

PROFILE = """
[profiles.bench]
description = "Ends at once, so that the next trigger meets an idle worker"
agent = "true"
verify = "false"
max_iterations = 1
"""

# Both moments on one clock: the page that is left and the page that is painted
# are of one browser, whose time origins are comparable.
CLICKED = """() => document.getElementById('start-run').addEventListener('click', () =>
    sessionStorage.setItem('clicked', performance.timeOrigin + performance.now()), {once: true})"""
PAINTED = """() => new Promise((resolve) => {
    const tell = (paint) => paint && resolve(
        performance.timeOrigin + paint.startTime - Number(sessionStorage.getItem('clicked')));
    new PerformanceObserver((list) => tell(list.getEntriesByName('first-contentful-paint')[0]))
        .observe({type: 'paint', buffered: true});
})"""


def confirm_to_painted(context: BrowserContext, work_order_ids: list[str]) -> list[float]:
    """Milliseconds from the click on "Start Run" to the first paint of the run's page."""
    page = context.new_page()
    taken = []
    for work_order_id in work_order_ids:
        page.goto(f"/work-orders/{work_order_id}/")
        page.click("#trigger-run-button")
        page.wait_for_selector("dialog[open] #start-run")
        page.evaluate(CLICKED)
        page.click("#start-run")
        page.wait_for_url("**/runs/**", wait_until="commit")
        taken.append(page.evaluate(PAINTED))
    return taken


def cold_transfer(browser: Browser, product: Product, state: Path, path: str) -> tuple[int, int]:
    """Bytes on the wire and number of requests of a page with nothing cached."""
    context = browser.new_context(base_url=product.url, storage_state=state)
    page = context.new_page()
    sizes: list[int] = []
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(path)
    page.wait_for_load_state("networkidle")
    context.close()
    return round(sum(sizes)), len(sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triggers", type=int, default=20)
    triggers: int = parser.parse_args().triggers
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        data_dir = Path(directory)
        workspace = data_dir / "workspace"
        workspace.mkdir()
        with Product(data_dir) as product:
            with (data_dir / "profiles.toml").open("a") as profiles:
                profiles.write(PROFILE)
            create = ("create_work_order", "--workspace", str(workspace), "--profile", "bench")
            ids = [
                product.manage(*create, f"Benchmark work order {n}").strip()
                for n in range(triggers)
            ]
            browser = playwright.chromium.launch(**launch_options(playwright))
            context = browser.new_context(base_url=product.url)
            context.new_page().goto(product.sign_in_link)
            state = data_dir / "state.json"
            context.storage_state(path=state)
            size, requests = cold_transfer(browser, product, state, f"/work-orders/{ids[0]}/")
            taken = confirm_to_painted(context, ids)
            browser.close()
    result = {
        "triggers": len(taken),
        "confirm_to_painted_ms_median": round(statistics.median(taken)),
        "confirm_to_painted_ms_p95": round(statistics.quantiles(taken, n=20)[-1]),
        "confirm_to_painted_ms_max": round(max(taken)),
        "work_order_page_cold_bytes": size,
        "work_order_page_requests": requests,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
