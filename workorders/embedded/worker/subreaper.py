"""Runs one command and leaves no process of it behind.

The file is a program (``python -S -E -I subreaper.py INPUT_FILE COMMAND…``), started without
Django: it must be small, and cannot fail with the worker that started it. On Linux it is a
subreaper (prctl(2), PR_SET_CHILD_SUBREAPER): whatever a descendant does to get away, a session of
its own or a parent that ends at once, it stays a descendant of this process, and is killed at
the end. Elsewhere the command's process group and every process with its ``RUN_ID`` are.

Standard input is the worker's control pipe, read by line:

- ``end`` asks the command to end.
- ``lease SECONDS``: the command is killed at this time of ``time.monotonic()``, which is the same
  clock in all processes, unless a later line says another. So no command outlives the lease of a
  worker that was stopped or is busy waiting.
- The end of the input (the worker wants it so, or is gone) kills the command.

The exit status is the command's own.
"""

import contextlib
import ctypes
import math
import os
import re
import resource
import select
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PROC = Path("/proc")
LINUX = sys.platform == "linux"
PAUSE_SECONDS = 0.01
PATIENCE_SECONDS = 10
"""A process that cannot be killed for so long hangs in the kernel: it is left."""
SANDBOX = "bwrap"


def main(input_file: str, command: list[str]) -> int:
    """The wait status (``os.waitpid``) of the command."""
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # A signal writes to this pipe, so that one wait is for children and control alike.
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with Path(input_file).open("rb") as standard_input:
        child = subprocess.Popen(command, stdin=standard_input, start_new_session=True)  # noqa: S603
    status = _supervise(child.pid, woken)
    _kill_all(child.pid)
    return status


def _supervise(child: int, woken: int) -> int:
    control = sys.stdin.fileno()
    lease_ends = math.inf
    unread = b""
    while True:
        ended = _reap()
        if child in ended:
            return ended[child]
        readable, _, _ = select.select([control, woken], [], [], _seconds_until(lease_ends))
        if woken in readable:
            os.read(woken, 4096)
        if control in readable:
            data = os.read(control, 4096)
            if not data:
                return signal.SIGKILL
            *lines, unread = (unread + data).split(b"\n")
            for word, *values in map(bytes.split, lines):
                if word == b"lease":
                    lease_ends = float(values[0])
                else:
                    _ask_to_end(child)
        if time.monotonic() >= lease_ends:
            return signal.SIGKILL


def _seconds_until(moment: float) -> float | None:
    return None if math.isinf(moment) else max(0.0, moment - time.monotonic())


def _ask_to_end(child: int) -> None:
    """A sandbox is not asked but what runs in it: with its first process all others die."""
    spared = child if _name(child) == SANDBOX else None
    for process_id in _descendants():
        if process_id != spared:
            _signal(process_id, signal.SIGTERM)


def _kill_all(child: int) -> None:
    """Stopped first: otherwise one that forks all the time is never caught."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    stopped: set[int] = set()
    while (new := set(_descendants()) - stopped) and time.monotonic() < deadline:
        for process_id in new:
            _signal(process_id, signal.SIGSTOP)
        stopped |= new
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    while (alive := _descendants()) and time.monotonic() < deadline:
        for process_id in alive:
            _signal(process_id, signal.SIGKILL)
        _reap()
        time.sleep(PAUSE_SECONDS)
    _reap()


def _reap() -> dict[int, int]:
    """The wait statuses of children that have ended, by process ID."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = found[1]
    return ended


def _descendants() -> list[int]:
    """Of this process, zombies aside."""
    if not LINUX:
        return processes_of_run(os.environ.get("RUN_ID", ""))
    children = defaultdict(list)
    for process_id, (parent, state) in _process_table():
        if state not in "ZX":
            children[parent].append(process_id)
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        below = children[waiting.pop()]
        found += below
        waiting += below
    return found


def _process_table() -> Iterable[tuple[int, tuple[int, str]]]:
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                # pid (name) state parent …; the name may hold anything.
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2]
                state, parent, *_ = fields.split()
                yield int(entry.name), (int(parent), state)


def processes_of_run(run_id: str) -> list[int]:
    """Those of this user that have ``RUN_ID`` in their environment, this process aside.

    For where there are no subreapers, and for the case that a subreaper was killed.
    """
    if not run_id:
        return []
    found = _by_environment(run_id) if PROC.is_dir() else _by_listing(run_id)
    return [process_id for process_id in found if process_id != os.getpid()]


def _by_environment(run_id: str) -> Iterable[int]:
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                variables = (entry / "environ").read_bytes().split(b"\0")
                if f"RUN_ID={run_id}".encode() in variables:
                    yield int(entry.name)


def _by_listing(run_id: str) -> Iterable[int]:
    """macOS: the environment follows the command."""
    listing = subprocess.run(
        ["/bin/ps", "-axEww", "-o", "pid=,command="],
        capture_output=True,
        check=False,
        text=True,
        errors="replace",
    ).stdout
    pattern = re.compile(rf"^\s*(\d+) .* RUN_ID={re.escape(run_id)}(?:\s|$)", re.MULTILINE)
    return map(int, pattern.findall(listing))


def kill_processes_of_run(run_id: str) -> None:
    """Again until there is none: one that forks all the time has new ones meanwhile."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := processes_of_run(run_id)) and time.monotonic() < deadline:
        for process_id in found:
            _signal(process_id, signal.SIGKILL)
        time.sleep(PAUSE_SECONDS)


def _name(process_id: int) -> str:
    try:
        return (PROC / str(process_id) / "comm").read_text(errors="replace").strip()
    except OSError:
        return ""


def _signal(process_id: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process_id, number)


def _end_like(status: int) -> None:
    """With the same exit code, or by the same signal."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it is not this process that crashed
        if number not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    _end_like(main(sys.argv[1], sys.argv[2:]))
