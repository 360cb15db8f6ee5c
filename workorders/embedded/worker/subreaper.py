"""Runs one command and leaves none of its processes behind.

This file is a program (``python -S -E -I subreaper.py INPUT_FILE COMMAND…``). It is a small
process without Django, so that it survives a failure of the worker that started it. On Linux the
program is a subreaper (prctl(2), PR_SET_CHILD_SUBREAPER): a process cannot escape by starting a
session or by letting its parent end, because it stays a descendant of the subreaper. All
descendants are killed at the end. On other systems, the command's process group and all processes
with its ``RUN_ID`` are killed.

Standard input is a control pipe from the worker. Each line is a message:

- ``end`` asks the command to end (SIGTERM).
- ``lease SECONDS`` kills the command at this time of ``time.monotonic()``, unless a later line
  gives another time. The clock is the same in all processes. No command can therefore outlive
  the lease of a worker that is suspended or blocked.
- The end of the input kills the command: the worker has closed the pipe, or is gone.

The program ends with the exit status of the command.
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
KILL_TIMEOUT_SECONDS = 10
"""A process that cannot be killed within this time hangs in the kernel, and is left alone."""
SANDBOX = "bwrap"
"""The process name of bubblewrap."""


def main(input_file: str, command: list[str]) -> int:
    """Run the command. Returns its wait status, as ``os.waitpid`` gives it."""
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Signals write to this pipe, so that one select waits for children and messages alike.
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


def _seconds_until(deadline: float) -> float | None:
    return None if math.isinf(deadline) else max(0.0, deadline - time.monotonic())


def _ask_to_end(child: int) -> None:
    """Send SIGTERM to all descendants, except the process of the sandbox.

    If bubblewrap ended, all processes in the sandbox would be killed at once.
    """
    spared = child if _name(child) == SANDBOX else None
    for process_id in _descendants():
        if process_id != spared:
            _signal(process_id, signal.SIGTERM)


def _kill_all(child: int) -> None:
    """Kill all descendants.

    They are suspended first, because a process that keeps forking would otherwise always have new
    children.
    """
    deadline = time.monotonic() + KILL_TIMEOUT_SECONDS
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
    """Reap the children that have ended. Returns their wait statuses by process ID."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = found[1]
    return ended


def _descendants() -> list[int]:
    """The process IDs of this process's descendants, without zombies."""
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
                # proc(5): "pid (name) state parent …", where the name may contain any characters.
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2]
                state, parent, *_ = fields.split()
                yield int(entry.name), (int(parent), state)


def processes_of_run(run_id: str) -> list[int]:
    """The IDs of processes that have this ``RUN_ID`` in their environment, without this process.

    Only processes of the same user are found. This is used on systems without subreapers, and in
    case a subreaper was killed.
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
    """Search the output of ``ps``, where macOS shows the environment after the command."""
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
    """Kill the run's processes until none is left.

    This repeats, because a process that keeps forking has new children meanwhile.
    """
    deadline = time.monotonic() + KILL_TIMEOUT_SECONDS
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
    """End this process with the command's exit code, or by the signal that ended the command."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        # No core dump of this process is written, because the crash was the command's.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    _end_like(main(sys.argv[1], sys.argv[2:]))
