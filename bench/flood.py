"""``python -m bench.flood``: the product under attack by anonymous and by slow clients.

At the same time there are slow bodies, downloads of a log of 100 MB that are not read, idle
connections and wrong passwords. Meanwhile a monitor requests ``/healthz`` and an operator starts
runs.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from bench.attackers import Attack
from bench.figures import Figure, percentile, table
from bench.product_server import CSRF_TOKEN, HTMX_HEADERS, ProductServer, product_server
from tests.support.product import ROOT
from workorders.processes.web_server import allow_open_files

PART = "Under attack"
LOG_BYTES = 100_000_000
TRIGGERED = 100
"""Number of work orders to start runs of in turn: two starts rarely meet at the same one."""
HEALTH_PAUSE_SECONDS, START_PAUSE_SECONDS, WEIGHING_SECONDS = 0.1, 2.0, 1.0
HEALTH_P99_GOAL_MS = 250
START_GOAL_MS = 2000
SETTLED_SECONDS = 10
"""After this time the memory should no longer grow."""
GROWTH_GOAL_PERCENT = 10
RESPONSE_SECONDS = 30


@dataclass(slots=True)
class Measured:
    """Milliseconds until each response; megabytes of the web server at each measurement."""

    health: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


class Observer:
    """Checks the health, starts runs and measures the memory, while an attack runs."""

    def __init__(self, product: ProductServer, paths: list[str], cookie: str) -> None:
        self.measured = Measured()
        self._product = product
        self._address = urlsplit(product.url).netloc
        self._paths = paths
        self._cookie = cookie
        self._end = threading.Event()

    def run_during(self, action: Callable[[], str]) -> str:
        """Observe in threads until ``action`` returns; its result."""
        steps = (
            (self._ask_health, HEALTH_PAUSE_SECONDS),
            (self._start_run, START_PAUSE_SECONDS),
            (self._weigh, WEIGHING_SECONDS),
        )
        threads = [threading.Thread(target=self._repeat, args=step) for step in steps]
        for thread in threads:
            thread.start()
        try:
            return action()
        finally:
            self._end.set()
            for thread in threads:
                thread.join()

    def _repeat(self, step: Callable[[], None], pause: float) -> None:
        while not self._end.wait(pause):
            step()

    def _ask_health(self) -> None:
        with self._timed(self.measured.health, "health") as connection:
            connection.request("GET", "/healthz")
            _require(connection.getresponse().status == 200)

    def _start_run(self) -> None:
        path = self._paths[len(self.measured.starts) % len(self._paths)]
        form = f"csrfmiddlewaretoken={CSRF_TOKEN}&key={uuid.uuid4()}"
        headers = HTMX_HEADERS | {
            "Cookie": self._cookie,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        with self._timed(self.measured.starts, "start") as connection:
            connection.request("POST", path, form, headers)
            response = connection.getresponse()
            _require("/runs/" in response.headers.get("HX-Redirect", ""))

    def _weigh(self) -> None:
        self.measured.memory.append(self._product.web().memory / 1e6)

    @contextmanager
    def _timed(self, into: list[float], what: str) -> Iterator[http.client.HTTPConnection]:
        """Yield a new connection, and append the milliseconds that its request took to ``into``."""
        connection = http.client.HTTPConnection(self._address, timeout=RESPONSE_SECONDS)
        began = time.monotonic()
        try:
            yield connection
        except (OSError, http.client.HTTPException) as exc:
            self.measured.failures.append(f"{what}: {exc!r}")
        finally:
            connection.close()
            into.append((time.monotonic() - began) * 1000)


def _require(condition: bool) -> None:  # noqa: FBT001
    if not condition:
        raise http.client.HTTPException("another response than expected")


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    allow_open_files()
    # PASSWORD_ATTEMPTS is high because a locked account costs no hashing.
    with product_server(WORKERS="0", PASSWORD_ATTEMPTS="1000") as product:
        logged = product.rows("work_order", runs=1)[0]
        run_id = product.rows("log", work_order_id=logged, size=LOG_BYTES)
        triggered = product.rows("work_order", runs=1, runnable=TRIGGERED)
        operator, reader = product.rows("sessions", count=2)
        _set_password(product)
        address = urlsplit(product.url)
        attack = Attack(
            host=address.hostname or "",
            port=address.port or 0,
            slow_bodies=options.bodies,
            slow_readers=options.readers,
            idle=options.idle,
            passwords=options.passwords,
            log_path=f"/runs/{run_id}/log/",
            cookie=reader,
            csrf_token=CSRF_TOKEN,
            seconds=options.seconds,
        )
        paths = [f"/work-orders/{each}/trigger/" for each in triggered]
        observer = Observer(product, paths, operator)
        before, memory_before = product.pids("granian"), product.web().memory / 1e6
        seen = observer.run_during(lambda: _attack(attack))
        replaced = len(before - product.pids("granian"))
    measured = observer.measured
    for failure in sorted(set(measured.failures)):
        print(f"{measured.failures.count(failure)} x {failure}")
    for kind, counts in json.loads(seen).items():
        print(f"{kind}: {counts}")
    yield from _figures(measured, memory_before, replaced)


def _set_password(product: ProductServer) -> None:
    """Give the attacked account a password, so that each try is hashed."""
    code = (
        "from workorders.accounts.users import ensure_operator; user = ensure_operator(); "
        "user.set_password('correct horse'); user.save()"
    )
    product.manage("shell", "--no-imports", "-c", code)


def _attack(attack: Attack) -> str:
    command = (sys.executable, "-m", "bench.attackers")
    orders = json.dumps(asdict(attack))
    return subprocess.check_output(command, cwd=ROOT, input=orders, text=True)


def _figures(measured: Measured, memory_before: float, replaced: int) -> Iterator[Figure]:
    health, starts = measured.health, measured.starts
    yield Figure(PART, "health checks asked", len(health), "requests")
    yield Figure(PART, "/healthz, median", percentile(health, 50), "ms")
    yield Figure(PART, "/healthz, p99", percentile(health, 99), "ms", HEALTH_P99_GOAL_MS)
    yield Figure(PART, "/healthz, slowest", max(health, default=0), "ms")
    yield Figure(PART, "starts of a run", len(starts), "requests")
    yield Figure(PART, "start, median", percentile(starts, 50), "ms")
    yield Figure(PART, "start, slowest", max(starts, default=0), "ms", START_GOAL_MS)
    yield Figure(PART, "failed", len(measured.failures), "requests", 0)
    settled = measured.memory[int(SETTLED_SECONDS / WEIGHING_SECONDS) :] or measured.memory
    yield Figure(PART, "memory before", memory_before, "MB")
    yield Figure(PART, f"memory after {SETTLED_SECONDS} s", settled[0], "MB")
    yield Figure(PART, "memory, most", max(measured.memory), "MB")
    growth = (max(settled) / settled[0] - 1) * 100
    yield Figure(PART, "growth of memory from then on", growth, "%", GROWTH_GOAL_PERCENT)
    yield Figure(PART, "web processes replaced", replaced, "processes", 0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.flood", description=__doc__)
    parser.add_argument("--bodies", type=int, default=500, help="slow bodies: %(default)s")
    parser.add_argument("--readers", type=int, default=500, help="slow readers: %(default)s")
    parser.add_argument("--idle", type=int, default=500, help="idle connections: %(default)s")
    parser.add_argument("--passwords", type=float, default=200, help="a second: %(default)s")
    parser.add_argument("--seconds", type=float, default=60, help="%(default)s")
    options = parser.parse_args()
    print(f"load average before: {os.getloadavg()[0]:.1f}")
    print(table(measure(options)))
    print(f"load average after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
