"""Load by wrk (Debian's, Homebrew's): in C, so that it leaves the cores to what is measured."""

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
"""Fixed, and another one for each run: a key that was used before would start nothing."""


class LoadError(Exception):
    """What was measured is not what was meant to be."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One run of the load generator; times in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p95: float
    p99: float
    unexpected: int
    """Answers with another status than expected."""
    unanswered: int

    @property
    def failed(self) -> int:
        return self.unexpected + self.unanswered

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def ensure_wrk() -> None:
    """Install it where that is possible; ``LoadError`` where it is not."""
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
    """GET one address again and again; every answer has to have the status."""
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
    """Start runs at each of the paths in turn, each with a key of its own."""
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
    if loaded.unexpected >= loaded.requests / 2:  # not overload: something else was measured
        raise LoadError(
            f"{url}: {loaded.unexpected} of {loaded.requests} answers were not the expected "
            f"{arguments[0]}."
        )
    return loaded
