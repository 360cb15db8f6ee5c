"""Generates load with wrk, which is written in C and leaves the cores to the product."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

SCRIPT = Path(__file__).with_name("load.lua")
TIMEOUT_SECONDS = 10
_seeds = count(1)
"""One fixed seed per run of wrk: an idempotency key that was used before would start no run."""


class LoadError(Exception):
    """wrk is missing, or most responses were not the expected ones."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One run of wrk; ``p50``, ``p95`` and ``p99`` are milliseconds until the response."""

    requests: int
    seconds: float
    p50: float
    p95: float
    p99: float
    unexpected: int
    """Responses with another status than expected."""
    unanswered: int

    @property
    def failed(self) -> int:
        return self.unexpected + self.unanswered

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def ensure_wrk() -> None:
    """Install wrk from Debian's packages if needed. Raises ``LoadError`` if that fails."""
    if shutil.which("wrk"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (("update", "-qq"), ("install", "-y", "-qq", "wrk")):
            subprocess.run(("apt-get", *command), env=environment, check=False)
    if not shutil.which("wrk"):
        raise LoadError("The bench needs wrk: apt-get install wrk, or brew install wrk.")


def load(
    url: str, headers: Mapping[str, str], *, connections: int, seconds: int, status: int = 200
) -> Loaded:
    """Send GET requests to one URL for ``seconds``; every response should have ``status``.

    Raises:
        LoadError: at least half of the responses have another status.
    """
    return _wrk(url, headers, connections, seconds, (str(status),))


def load_triggers(
    url: str,
    headers: Mapping[str, str],
    paths: Sequence[str],
    *,
    connections: int,
    seconds: int,
    status: int,
    csrf_token: str | None = None,
) -> Loaded:
    """Send POST requests to the paths in turn, each with an idempotency key of its own.

    Args:
        csrf_token: for the dashboard's form; ``None`` for a runs API.

    Raises:
        LoadError: at least half of the responses have another status.
    """
    arguments = (str(status), str(next(_seeds)), csrf_token or "none", *paths)
    return _wrk(url, headers, connections, seconds, arguments)


def _wrk(
    url: str,
    headers: Mapping[str, str],
    connections: int,
    seconds: int,
    arguments: Sequence[str],
) -> Loaded:
    options = [f"--connections={connections}", f"--duration={seconds}s", "--threads=1"]
    options += [f"--timeout={TIMEOUT_SECONDS}s", f"--script={SCRIPT}"]
    options += [f"--header={name}: {value}" for name, value in headers.items()]
    done = subprocess.run(
        ("wrk", *options, url, "--", *arguments),
        capture_output=True,
        text=True,
        timeout=seconds + 4 * TIMEOUT_SECONDS,
        check=True,
    )
    loaded = Loaded(**json.loads(done.stdout.splitlines()[-1]))
    if loaded.unexpected >= loaded.requests / 2:  # a wrong request, not overload
        raise LoadError(
            f"{url}: {loaded.unexpected} of {loaded.requests} responses were not the expected "
            f"{arguments[0]}."
        )
    return loaded
