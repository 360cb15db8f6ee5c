"""A malicious agent: run as a program, it tries every attack and prints which ones worked.

It uses the standard library only. ``targets.json`` in the workspace gives it the places of all
targets: isolation must work against an attacker that knows the machine. It prints a line
``WORKED ["NAME", …]`` with the names of the functions below, then waits.
"""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

TARGETS: dict[str, str] = {}
MARK = "hidden-"
"""The prefix of every secret of the test."""


def can_read(path: str) -> bool:
    with contextlib.suppress(OSError):
        return bool(Path(path).read_bytes())
    return False


def variables_of_the_host() -> bool:
    return any(MARK in value for value in os.environ.values())


def environment_of_other_processes() -> bool:
    """The environment of the parent and of every other process."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and MARK.encode() in (entry / "environ").read_bytes():
                return True
    return False


def key_of_the_runs_api() -> bool:
    return can_read(f"{TARGETS['data']}/runs-api-key")


def signing_key() -> bool:
    return can_read(f"{TARGETS['data']}/secret-key")


def rows(query: str) -> bool:
    if not Path(TARGETS["database"]).is_file():
        return False
    with contextlib.suppress(sqlite3.Error):
        connection = sqlite3.connect(TARGETS["database"], timeout=20)
        with contextlib.closing(connection), connection:
            return connection.execute(query).fetchone() is not None
    return False


def live_sessions() -> bool:
    return rows("SELECT session_key FROM workorders_session")


def password_hashes() -> bool:
    return rows("SELECT password FROM auth_user")


def rows_in_the_shared_cache() -> bool:
    return rows(
        "INSERT INTO shared_reads (cache_key, value, expires)"
        " VALUES ('planted', 'x', '2100-01-01') RETURNING cache_key"
    )


def profile_of_its_own() -> bool:
    try:
        with Path(TARGETS["profiles"]).open("a") as profiles:
            profiles.write('\n[profiles.mine]\nagent = "id"\nverify = "true"\n')
    except OSError:
        return False
    return True


def other_workspaces() -> bool:
    return can_read(TARGETS["original"][::-1]) or can_read(TARGETS["other_copy"])


def secrets_of_the_home() -> bool:
    return can_read(f"{TARGETS['home']}/.ssh/id_ed25519")


def signal_to_the_worker() -> bool:
    with contextlib.suppress(OSError):
        os.kill(int(TARGETS["worker"]), 0)  # in a sandbox this ID is another process's
        command = Path(f"/proc/{TARGETS['worker']}/cmdline").read_bytes()
        return b"manage.py" in command
    return False


ATTACKS: tuple[Callable[[], bool], ...] = (
    variables_of_the_host,
    environment_of_other_processes,
    key_of_the_runs_api,
    signing_key,
    live_sessions,
    password_hashes,
    rows_in_the_shared_cache,
    profile_of_its_own,
    other_workspaces,
    secrets_of_the_home,
    signal_to_the_worker,
)


def outlive_the_run() -> None:
    """Start a process with a new session and without parent, environment or output."""
    tick = "import time, sys\nwhile 1: open(sys.argv[1], 'a').write('x'); time.sleep(.05)"
    if os.fork() == 0:
        os.setsid()
        subprocess.Popen(
            [sys.executable, "-c", tick, "ticks"],
            env={},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os._exit(0)


if __name__ == "__main__":
    TARGETS.update(json.loads(Path("targets.json").read_text()))
    worked = [attack.__name__ for attack in ATTACKS if attack()]
    outlive_the_run()
    while not Path("ticks").exists():
        pass
    print("WORKED", json.dumps(worked), flush=True)
    if "kill" in sys.argv:
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGKILL)
    signal.pause()
