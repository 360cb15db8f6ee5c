"""The whole product as real processes, started as an administrator starts them."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

import httpx
import psutil

from tests.support.test_databases import new_database, new_redis

ROOT = Path(__file__).resolve().parents[2]
COLLECTED = ROOT / ".pytest_cache" / "collected-static"
"""Static files that a product has collected, for the next ones: to collect them is half of a
start. Each product still checks that they are those of this version."""
DEADLINE_SECONDS = 90
"""Far longer than a start or a stop takes, so that a slow machine fails no test."""
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""The variables that a product under test inherits from the test run: no settings."""


def wait_until(condition: Callable[[], object]) -> None:
    """Poll ``condition()`` until it is true; ``AssertionError`` after ``DEADLINE_SECONDS``."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "this never became true"
        time.sleep(0.05)


def command_line(process: psutil.Process) -> str:
    """The arguments of the process, joined by spaces; empty when the process has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie is no process either
        return ""


def follow_link(client: httpx.Client, link: str) -> httpx.Response:
    """Open a sign-in link and confirm the sign-in, as a person does."""
    client.get(link).raise_for_status()
    return client.post(link, headers={"X-CSRFToken": client.cookies["csrftoken"]})


def cookies_of_link(link: str) -> httpx.Cookies:
    """The cookies of a browser that has signed in by the link."""
    with httpx.Client(trust_env=False) as client:
        follow_link(client, link)
        return client.cookies


def lend_collected(static: Path) -> None:
    """Give a new product the static files that were collected last, if any were."""
    kept = sorted(COLLECTED.glob("*/.collected"), key=lambda stamp: stamp.stat().st_mtime)
    if kept and not static.exists():
        shutil.copytree(kept[-1].parent, static)


def keep_collected(static: Path) -> None:
    """Keep what a product has collected for the next ones, and what is in use for an hour."""
    stamp = static / ".collected"
    kept = COLLECTED / hashlib.sha256(stamp.read_bytes()).hexdigest()[:16]
    if kept.exists():
        return
    COLLECTED.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=COLLECTED) as directory, suppress(OSError):
        # OSError: another test process has just kept the same.
        Path(shutil.copytree(static, Path(directory) / "static")).rename(kept)
    for old in COLLECTED.iterdir():
        with suppress(OSError):  # it is gone already
            if old != kept and old.stat().st_mtime < time.time() - 3600:
                shutil.rmtree(old)


class Product:
    """``manage.py serve`` on a free port, with a data directory and variables of its own."""

    command: ClassVar = ["serve"]

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self.data_dir = data_dir
        self.sign_in_link = ""
        self._servers = {"DATABASE_URL": new_database(data_dir), "REDIS_URL": new_redis()}
        self._variables = variables
        self._stdout = data_dir / "serve.stdout"
        self._stderr = data_dir / "serve.stderr"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Without a slash at the end, e.g. ``http://127.0.0.1:43210``; empty before it is known."""
        found = re.search(r"answers at (\S+)/ ", self._stdout.read_text())
        return found[1] if found else ""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def console(self) -> str:
        """Everything that ``serve`` and its children printed so far."""
        return self._stdout.read_text() + self._stderr.read_text()

    def start(self) -> None:
        """Start and wait until the product responds; ``AssertionError`` when it ends before."""
        self.launch()
        try:
            wait_until(lambda: self.url or self.exit_status() is not None)
        except AssertionError:
            self.stop()
            raise
        assert self.url, f"serve ended before it answered:\n{self.console}"
        keep_collected(self.data_dir / "static")
        self.sign_in_link = self._link_line()

    def launch(self) -> None:
        """Start without waiting for anything."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        lend_collected(self.data_dir / "static")
        self.sign_in_link = ""
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", *self.command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )

    def exit_status(self) -> int | None:
        assert self._process is not None
        return self._process.poll()

    def wait(self) -> int:
        """Wait until ``serve`` has ended by itself, and return its exit status."""
        assert self._process is not None
        return self._process.wait(DEADLINE_SECONDS)

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """End the product as Ctrl-C (SIGINT) or a service manager (SIGTERM) does; exit status."""
        assert self._process is not None
        self._process.send_signal(signal_number)
        return self.wait()

    def manage(self, *arguments: str) -> str:
        """Run a management command on this product's data, and return its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self) -> dict[int, str]:
        """The command lines of all descendants of ``serve`` by process ID, parents first."""
        try:
            family = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return {}
        return {process.pid: command for process in family if (command := command_line(process))}

    def pids(self, word: str) -> set[int]:
        """IDs of the processes with this word in their command line, e.g. ``"worker"``."""
        return {pid for pid, command in self.processes().items() if word in command.split()}

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        own = {
            "PORT": "0",
            "DATA_DIR": str(self.data_dir),
            "STOP_GRACE_SECONDS": "0",
            "ISOLATION": "off",  # commands of tests wait for files that tests make
        }
        return inherited | own | self._servers | self._variables

    def _link_line(self) -> str:
        lines = self._stdout.read_text().splitlines()
        return next((line for line in lines if "/sign-in/" in line), "")


class WebServer(Product):
    """A web server alone, without workers, as one of several that share a database."""

    command: ClassVar = ["serve", "--web"]
