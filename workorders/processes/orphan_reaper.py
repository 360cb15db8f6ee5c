"""Kills what a killed process leaves behind.

A process ended by SIGKILL cannot clean up, and the commands it started live in
process groups of their own, so nothing else would end them. A orphan_reaper waits
beside it, in a session of its own, and is told by line which groups are
running. The end of its input means that the process is gone.

The file is a program too (``python -S -E -I orphan_reaper.py``), started without
Django: it must be small, and cannot fail with the one it watches.
"""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

NEEDED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""To find the interpreter and its libraries."""


class OrphanReaper:
    """The watched process's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-S", "-E", "-I", str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # Nothing of what the product was started with: others may read it (/proc).
            env={name: os.environ[name] for name in NEEDED if name in os.environ},
            start_new_session=True,  # a Ctrl-C in the terminal is not for it
        )

    def started(self, group: int) -> None:
        self._tell(f"start {group}\n")

    def ended(self, group: int) -> None:
        self._tell(f"end {group}\n")

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        # A orphan_reaper that was killed is no reason to fail.
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


def kill_group(group: int, signal_number: int = signal.SIGKILL) -> None:
    # PermissionError: macOS says so when only zombies are left in the group.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal_number)


def reap(lines: Iterable[str]) -> None:
    running: set[int] = set()
    for line in lines:
        word, group = line.split()
        (running.add if word == "start" else running.discard)(int(group))
    for left_behind in running:
        kill_group(left_behind)


if __name__ == "__main__":
    reap(sys.stdin)
