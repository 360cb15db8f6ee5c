"""Runs one command, from its start until none of its processes is alive."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from workorders.embedded.worker import subreaper
from workorders.processes.orphan_reaper import kill_group

READ_BYTES = 65_536
TICK = 0.1
"""Seconds between two checks of whether to stop, while the command writes nothing."""
PIPE_READS = 16
"""How often the pipe is read after the command has ended. A full pipe holds at most 1 MiB, so a
process that keeps writing cannot delay the run."""
GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL."""
SUBREAPER_TIMEOUT = subreaper.KILL_TIMEOUT_SECONDS + 5.0
"""Seconds that the subreaper gets to kill all processes and to end."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command to run. ``input_file`` becomes its standard input.

    ``environment`` must contain ``RUN_ID``, by which left-over processes are found.
    """

    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    input_file: Path


class Interrupted(Exception):  # noqa: N818 (an outcome)
    """The command was ended before it was done, because ``must_stop`` was true."""


def run_command(
    command: Command,
    *,
    on_output: Callable[[bytes], None],
    on_tick: Callable[[], None],
    must_stop: Callable[[], bool],
    has_grace: Callable[[], bool],
    lease: Callable[[Callable[[float], None]], AbstractContextManager[None]],
) -> int:
    """Run a command and return its exit code; a negative code is the signal that ended it.

    However the function ends, no descendant of the command is alive afterwards.

    Args:
        command: what to run.
        on_output: gets standard output and standard error as they come.
        on_tick: is called at least every ``TICK`` seconds.
        must_stop: is checked at least every ``TICK`` seconds; true ends the command.
        has_grace: whether a command that must stop gets ``GRACE`` seconds after SIGTERM. False
            means that another process may have taken over the run by now.
        lease: ``WorkerContext.reporting_renewals``. The command is killed at the end of the
            lease, even if this process is suspended.

    Raises:
        Interrupted: ``must_stop`` was true. Errors of the callbacks are raised as well.
    """
    with (
        _Process(command) as process,
        _Output(process, on_output) as output,
        lease(process.set_lease),
    ):
        while process.poll() is None:
            if must_stop():
                if has_grace():
                    _ask_to_end(process, output)
                process.kill_all()
                output.drain()
                raise Interrupted
            output.wait()
            on_tick()
        output.drain()
        if process.returncode == -signal.SIGKILL and must_stop():
            raise Interrupted  # the subreaper has killed the command at the end of its lease
        return process.returncode


class _Process(subprocess.Popen[bytes]):
    """The subreaper process, which runs the command as its child.

    The subreaper gets the command's environment and not the worker's, because a command can read
    the environment of its parent process.
    """

    def __init__(self, command: Command) -> None:
        self._run_id = command.environment["RUN_ID"]
        program = [sys.executable, "-S", "-E", "-I", subreaper.__file__]
        super().__init__(
            [*program, str(command.input_file), *command.arguments],
            cwd=command.directory,
            env=dict(command.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        if self.stdin:
            os.set_blocking(self.stdin.fileno(), False)  # the command may suspend the subreaper

    def ask_to_end(self) -> None:
        """Let the subreaper send SIGTERM to the command's processes."""
        self._send(b"end\n")

    def set_lease(self, ends: float) -> None:
        """Send the end of the lease (``time.monotonic()``) to the subreaper.

        The heartbeat thread calls this method as well. That is safe, because a line is written in
        one piece or not at all.
        """
        self._send(b"lease %r\n" % ends)

    def _send(self, line: bytes) -> None:
        if self.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.stdin.write(line)

    def kill_all(self) -> None:
        """Kill the command and all its descendants, and return when none is left.

        A command without isolation may kill the subreaper itself. The run's processes are
        therefore also searched for by their ``RUN_ID``.
        """
        if self.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(SUBREAPER_TIMEOUT)
        kill_group(self.pid)
        self.wait()
        subreaper.kill_processes_of_run(self._run_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_all()


def _ask_to_end(process: _Process, output: "_Output") -> None:
    process.ask_to_end()
    deadline = time.monotonic() + GRACE
    while process.poll() is None and time.monotonic() < deadline:
        output.wait()


class _Output:
    """Reads the command's output without waiting for the end of the pipe.

    A process that has escaped may hold the pipe open for ever.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], on_output: Callable[[bytes], None]
    ) -> None:
        if process.stdout is None:
            raise ValueError("the command's output must be a pipe")
        self._process = process
        self._pipe = process.stdout
        self._on_output = on_output
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> "_Output":
        os.set_blocking(self._pipe.fileno(), False)
        self._selector.register(self._pipe, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        self._pipe.close()

    def wait(self) -> None:
        """Pass on the next output, or return after ``TICK`` seconds without any."""
        if not self._selector.get_map():  # a command that has closed its output usually ends soon
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(TICK)
        elif self._selector.select(TICK) and not self._read():
            self._selector.unregister(self._pipe)

    def drain(self) -> None:
        """Pass on what is in the pipe, at most the content of one full pipe."""
        for _ in range(PIPE_READS):
            if not self._read():
                return

    def _read(self) -> bytes:
        try:
            data = os.read(self._pipe.fileno(), READ_BYTES)
        except BlockingIOError:
            return b""
        if data:
            self._on_output(data)
        return data
