"""Web servers and workers as on hosts of their own: a database and a Redis is all they share."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from redis import Redis

from tests.support.cut_link import Cut, CutLink
from tests.support.ephemeral_servers import postgres, redis
from tests.support.product import ROOT, Product, WebServer
from tests.support.test_databases import new_database

API_KEY = "key-of-the-whole-fleet"
# Agents tick as long as they are alive; every seventh for longer than a lease lasts.
# A first run of a work order fails its verification, so that a second one may be started.
PROFILES = """
[profiles.default]
agent = '''
echo "$RUN_ID" >> {executed}
case "$RUN_ID" in *[A-H]) ticks=150;; *) ticks=10;; esac
while [ $ticks -gt 0 ]; do
    ticks=$((ticks-1))
    echo "$WORK_ORDER_ID $RUN_NUMBER $(date +%s.%N)" >> {ticks}
    sleep 0.05
done
'''
verify = 'test "$RUN_NUMBER" -gt 1'
max_iterations = 1
"""


class Worker:
    """``manage.py worker`` with a data directory of its own; killed and started at will.

    ``link`` leads to the database.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str], link: CutLink) -> None:
        directory.mkdir()
        self.link = link
        self._log = directory / "worker.log"
        url = urlsplit(environment["DATABASE_URL"])
        through_link = url._replace(netloc=f"{url.username}@127.0.0.1:{link.port}").geturl()
        self._environment = {
            **environment,
            "DATA_DIR": str(directory),
            "DATABASE_URL": through_link,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "worker", "--skip-checks"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def pause(self, seconds: float) -> None:
        """As by a debugger, or by a machine that has run out of memory."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


class Fleet:
    """``web`` are the web servers; work orders have their workspace in ``workspace``."""

    def __init__(self, directory: Path, database_url: str, redis_url: str) -> None:
        self.workspace = directory / "workspace"
        self.workspace.mkdir()
        (self.workspace / "README").write_text("A tiny repository\n")
        self._executed = directory / "executed"
        self._executed.touch()
        profiles = directory / "profiles.toml"
        self._ticks = directory / "ticks"
        self._ticks.touch()
        profiles.write_text(
            PROFILES.replace("{executed}", str(self._executed)).replace("{ticks}", str(self._ticks))
        )
        self._redis_url = redis_url
        shared = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": "of-the-whole-fleet-" + "x" * 40,
            "RUNS_API_KEY": API_KEY,
            "PROFILES_FILE": str(profiles),
            "RUN_LEASE_SECONDS": "3",
            "WEB_PROCESSES": "1",
        }
        self.web: list[Product] = [
            WebServer(directory / f"web-{number}", **shared) for number in (1, 2)
        ]
        environment = self.web[0].environment
        port = urlsplit(database_url).port or 5432
        self.workers = [
            Worker(directory / f"worker-{n}", environment, CutLink(port)) for n in range(1, 5)
        ]

    @property
    def executed(self) -> list[str]:
        """The run IDs that agents were started for, one entry for each start."""
        return self._executed.read_text().split()

    @property
    def longest_overlap(self) -> float:
        """Seconds that an agent was alive beside one of a later run of its work order.

        Below 0: the shortest time between two.
        """
        first: dict[tuple[str, int], float] = {}
        last: dict[tuple[str, int], float] = {}
        for line in self._ticks.read_text().splitlines():
            work_order_id, number, moment = line.split()
            first.setdefault((work_order_id, int(number)), float(moment))
            last[work_order_id, int(number)] = float(moment)
        return max(
            ended - first[work_order_id, number + 1]
            for (work_order_id, number), ended in last.items()
            if (work_order_id, number + 1) in first
        )

    def lose_calls(self) -> None:
        """As when Redis is killed and comes back with nothing."""
        with Redis.from_url(self._redis_url) as client:
            client.flushall()


@contextmanager
def running_fleet(directory: Path) -> Iterator[Fleet]:
    with ExitStack() as running:
        server, redis_url = running.enter_context(postgres()), running.enter_context(redis())
        fleet = Fleet(directory, new_database(directory, server), redis_url)
        fleet.web[0].data_dir.mkdir()
        fleet.web[0].manage("migrate", "--verbosity", "0")
        for web in fleet.web:
            running.enter_context(web)
        for worker in fleet.workers:
            running.enter_context(worker.link)
            running.callback(worker.kill)
            worker.start()
        yield fleet


class Killer(threading.Thread):
    """Kills a worker at random whenever a few more runs were begun, and starts it again."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        super().__init__(name="killer")
        self.kills = 0
        self._fleet = fleet
        self._random = Random(seed)
        self._ended = threading.Event()

    def run(self) -> None:
        next_kill = 0
        while not self._ended.wait(self._random.uniform(0, 0.5)):
            begun = len(self._fleet.executed)
            if begun >= next_kill:
                next_kill = begun + self._random.randint(2, 8)
                self._kill(self._random.choice(self._fleet.workers))

    def _kill(self, worker: Worker) -> None:
        worker.kill()
        self.kills += 1
        if self.kills % 5 == 0:
            self._fleet.lose_calls()
        worker.start()

    def __enter__(self) -> "Killer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


class Cutter(threading.Thread):
    """Cuts a worker at random from the database, or stops it, for less or more than a lease."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        super().__init__(name="cutter")
        self.cuts = self.pauses = 0
        self._fleet = fleet
        self._random = Random(seed)
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(self._random.uniform(0, 1)):
            worker = self._random.choice(self._fleet.workers)
            seconds = self._random.uniform(0.2, 7)
            how = self._random.choice([*Cut, None])
            if how is None:
                self.pauses += 1
                worker.pause(seconds)
                continue
            self.cuts += 1
            worker.link.cut(how)
            self._ended.wait(seconds)
            worker.link.heal()

    def __enter__(self) -> "Cutter":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()
