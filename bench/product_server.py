"""The product on a stand of its own: rows put in, people signed in, processes weighed."""

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
"""How long the web server has to use no CPU to be at rest, and how long that is waited for."""
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
    """Of a set of processes: seconds of CPU used so far, bytes of memory."""

    cpu_seconds: float
    memory: int


class Stand(Product):
    """A product without examples, whose data directory goes when it ends."""

    def rows(self, function: str, **arguments: Any) -> Any:
        """Call a function of ``bench.seeding`` inside the product; what it returns."""
        code = f"from bench import seeding; seeding.answer(seeding.{function}, {arguments!r})"
        return json.loads(self.manage("shell", "--no-imports", "-c", code))

    @property
    def api_key(self) -> str:
        return (self.data_dir / "runs-api-key").read_text().strip()

    def web(self) -> Weight:
        """The web server: its processes all together."""
        return weight_of(self._family("granian"))

    def workers(self) -> Weight:
        return weight_of(self._family("worker"))

    def weighed[Result](self, action: Callable[[], Result]) -> tuple[Result, float]:
        """What ``action`` returns, and the seconds of CPU that it cost the web server."""
        self._come_to_rest()
        before = self.web().cpu_seconds
        result = action()
        return result, self.web().cpu_seconds - before

    def refresh_path(self, path: str, cookie: str) -> str:
        """What the open page at ``path`` asks for to stay true."""
        headers = BROWSER_HEADERS | {"Cookie": cookie}
        answer = httpx.get(self.url + path, headers=headers, timeout=30, trust_env=False)
        answer.raise_for_status()
        return joined(path, refresh_address(answer.text))

    def _come_to_rest(self) -> None:
        """Requests whose connections a load generator has closed are answered all the same."""
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
    """Relative, as it stands in a page or in the part of one that a refresh brings."""
    found = _REFRESH.search(page)
    if found is None:
        raise ValueError("the page does not refresh itself")
    return html.unescape(found[1])


def joined(path: str, address: str) -> str:
    """Where a link with ``address`` on the page at ``path`` leads."""
    return str(httpx.URL("http://page").join(path).join(address).raw_path, "ascii")


@contextmanager
def stand(**variables: str) -> Iterator[Stand]:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        data_dir = Path(directory)
        (data_dir / "profiles.toml").write_text(PROFILE)
        (data_dir / "workspace").mkdir()
        (data_dir / "workspace" / "README").write_text("A tiny repository\n")
        product = Stand(data_dir, **variables)
        product.rows("prepare")
        with product:
            yield product
