"""Web servers and workers as on hosts of their own: a database and a Redis is all they share."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

from redis import Redis

from tests.own_servers import new_database
from tests.product import ROOT, Product, WebServer
from tests.throw_away import postgres, redis

API_KEY = "key-of-the-whole-fleet"
# A first run of a work order fails its verification, so that a second one may be started.
PROFILES = """
[profiles.default]
agent = 'echo "$RUN_ID" >> {executed}; sleep 0.2'
verify = 'test "$RUN_NUMBER" -gt 1'
max_iterations = 1
"""


class Worker:
    """``manage.py worker`` with a data directory of its own; killed and started at will."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        directory.mkdir()
        self._log = directory / "worker.log"
        self._environment = {**environment, "DATA_DIR": str(directory)}
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
        profiles.write_text(PROFILES.replace("{executed}", str(self._executed)))
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
        self.workers = [Worker(directory / f"worker-{n}", environment) for n in range(1, 5)]

    @property
    def executed(self) -> list[str]:
        """The run IDs that agents were started for, one entry for each start."""
        return self._executed.read_text().split()

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
