"""A running product to measure: with seeded rows, signed-in users and measured processes."""

import html
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.product import Product

CSRF_TOKEN = "b" * 32
QUIET_SECONDS, REST_SECONDS = 0.3, 15
"""The web server is at rest after using no CPU for the first time; the second is the time-out."""
PROFILE = """
[profiles.bench]
description = "Ends at once, so that the next trigger meets an idle worker"
agent = "true"
verify = "false"
max_iterations = 1
"""
BROWSER_HEADERS = {"Accept": "text/html", "Accept-Encoding": "gzip, deflate"}
HTMX_HEADERS = BROWSER_HEADERS | {"HX-Request": "true"}
_REFRESH = re.compile(r'id="live"[^>]*?hx-get="([^"]+)"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Weight:
    """CPU seconds used so far and bytes of memory, of a set of processes together."""

    cpu_seconds: float
    memory: int


class ProductServer(Product):
    """The product without examples, with functions to seed rows and to measure processes."""

    def rows(self, function: str, **arguments: Any) -> Any:
        """Call a function of ``bench.seeding`` with the product's settings; its result."""
        code = f"from bench import seeding; seeding.print_result(seeding.{function}, {arguments!r})"
        return json.loads(self.manage("shell", "--no-imports", "-c", code))

    @property
    def api_key(self) -> str:
        return (self.data_dir / "runs-api-key").read_text().strip()

    def web(self) -> Weight:
        """The processes of the web server together."""
        return weight_of(self._family("granian"))

    def workers(self) -> Weight:
        """The processes of the workers together."""
        return weight_of(self._family("worker"))

    def weighed[Result](self, action: Callable[[], Result]) -> tuple[Result, float]:
        """The result of ``action``, and the CPU seconds that the web server used meanwhile."""
        self._come_to_rest()
        before = self.web().cpu_seconds
        result = action()
        return result, self.web().cpu_seconds - before

    def refresh_path(self, path: str, cookie: str) -> str:
        """The path that the open page at ``path`` polls."""
        headers = BROWSER_HEADERS | {"Cookie": cookie}
        response = httpx.get(self.url + path, headers=headers, timeout=30, trust_env=False)
        response.raise_for_status()
        return joined(path, refresh_address(response.text))

    def _come_to_rest(self) -> None:
        """Wait until the server has finished the requests of closed connections too."""
        deadline = time.monotonic() + REST_SECONDS
        used = -1.0
        while used != (now := self.web().cpu_seconds) and time.monotonic() < deadline:
            used = now
            time.sleep(QUIET_SECONDS)

    def _family(self, word: str) -> list[psutil.Process]:
        parents = [psutil.Process(pid) for pid in self.pids(word)]
        children = [child for parent in parents for child in parent.children(recursive=True)]
        return list({process.pid: process for process in parents + children}.values())


def weight_of(processes: Iterable[psutil.Process]) -> Weight:
    cpu, memory = 0.0, 0
    for process in processes:
        times = process.cpu_times()
        cpu += times.user + times.system
        memory += process.memory_info().rss
    return Weight(cpu, memory)


def refresh_address(page: str) -> str:
    """The relative address that a page polls, from the HTML of the page or of its polled part.

    Raises:
        ValueError: the page does not poll.
    """
    found = _REFRESH.search(page)
    if found is None:
        raise ValueError("the page does not refresh itself")
    return html.unescape(found[1])


def joined(path: str, address: str) -> str:
    """The path that the relative ``address`` means on the page at ``path``."""
    return str(httpx.URL("http://page").join(path).join(address).raw_path, "ascii")


@contextmanager
def product_server(**variables: str) -> Iterator[ProductServer]:
    """Start the product in a temporary data directory, with these environment variables."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        data_dir = Path(directory)
        (data_dir / "profiles.toml").write_text(PROFILE)
        (data_dir / "workspace").mkdir()
        (data_dir / "workspace" / "README").write_text("A tiny repository\n")
        product = ProductServer(data_dir, **variables)
        product.rows("prepare")
        with product:
            yield product
