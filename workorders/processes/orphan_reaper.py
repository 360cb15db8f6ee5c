"""Kills the process groups that a killed process leaves behind.

A process that is ended by SIGKILL cannot clean up. The commands that it started have process
groups of their own, so nothing else would end them. The orphan reaper is a small process in a
session of its own. The watched process writes lines to the reaper's standard input, ``start
GROUP`` and ``end GROUP``, with the ID of a process group. The end of the input means that the
watched process has ended; the reaper then kills the groups that are still running.

This file is also the reaper's program (``python -S -E -I orphan_reaper.py``). It imports no
Django, so that the reaper stays small and does not share the faults of the watched process.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

NEEDED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""The variables with which the system finds the interpreter and its libraries."""


class OrphanReaper:
    """Starts the orphan reaper and reports process groups to it. For the watched process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-S", "-E", "-I", str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # No secrets of the product: other processes may read the variables (/proc).
            env={name: os.environ[name] for name in NEEDED if name in os.environ},
            start_new_session=True,  # a Ctrl-C in the terminal is not for it
        )

    def started(self, group: int) -> None:
        """Report a process group that must be killed if this process dies."""
        self._report(f"start {group}\n")

    def ended(self, group: int) -> None:
        """Report that a process group has ended."""
        self._report(f"end {group}\n")

    def close(self) -> None:
        """Kill the groups that have not ended, and wait for the reaper to end."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def _report(self, line: str) -> None:
        # The watched process goes on if somebody has killed the reaper.
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


def kill_group(group: int, signal_number: int = signal.SIGKILL) -> None:
    """Send a signal to a process group; without effect when the group has ended."""
    # PermissionError: macOS raises this when only zombies are left in the group.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal_number)


def reap(lines: Iterable[str]) -> None:
    """Read ``start GROUP`` and ``end GROUP`` lines; at their end kill the groups still running."""
    running: set[int] = set()
    for line in lines:
        word, group = line.split()
        (running.add if word == "start" else running.discard)(int(group))
    for left_behind in running:
        kill_group(left_behind)


if __name__ == "__main__":
    reap(sys.stdin)
