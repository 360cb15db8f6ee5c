"""One command, from its start until no process of it is alive."""

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
"""Seconds between two looks at whether to stop, when the command is silent."""
PIPE_READS = 16
"""A full pipe is 1 MiB at most: one who keeps writing cannot hold the run up."""
GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL."""
LAST_PATIENCE = subreaper.PATIENCE_SECONDS + 5.0
"""Seconds for the subreaper to end everything and itself."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """``input_file`` becomes its standard input; its environment must have ``RUN_ID``."""

    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str]
    input_file: Path


class Interrupted(Exception):  # noqa: N818 (an outcome)
    """The command was ended from outside, for the reason ``must_stop`` gave."""


def run_command(
    command: Command,
    *,
    on_output: Callable[[bytes], None],
    on_tick: Callable[[], None],
    must_stop: Callable[[], bool],
    has_grace: Callable[[], bool],
    lease: Callable[[Callable[[float], None]], AbstractContextManager[None]],
) -> int:
    """Its exit code (negative: ended by that signal).

    ``on_output`` gets standard output and error as they come, ``on_tick`` is
    called at least every ``TICK`` seconds, ``must_stop`` before each. ``has_grace``:
    whether the command has ``GRACE`` seconds then, or somebody else may be at its work by now.
    ``lease`` is ``WorkerContext.reporting_renewals``: at the lease's end the command is killed
    even if this process is stopped. No descendant of the command is alive on return, whatever
    way it ends. Raises ``Interrupted``, and what the callbacks raise.
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
            raise Interrupted  # at the end of the lease the subreaper is the first to act
        return process.returncode


class _Process(subprocess.Popen[bytes]):
    """The subreaper of the command. It has the command's environment too: a command can read
    that of the process above it.
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
            os.set_blocking(self.stdin.fileno(), False)  # it may be stopped by its own command

    def ask_to_end(self) -> None:
        self._send(b"end\n")

    def set_lease(self, ends: float) -> None:
        """Called by the heartbeat's thread too: a line is written at once, or not at all."""
        self._send(b"lease %r\n" % ends)

    def _send(self, line: bytes) -> None:
        if self.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.stdin.write(line)

    def kill_all(self) -> None:
        """Returns when nothing is left. Where the subreaper itself was killed, which a command
        without isolation may do, what it left is looked for.
        """
        if self.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(LAST_PATIENCE)
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
    """Reads what there is and never waits for the end of the pipe: a process that got away
    may hold it open for ever.
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
        """Pass on the next output, or return after a tick."""
        if not self._selector.get_map():  # it has closed its output: nearly always it ends now
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(TICK)
        elif self._selector.select(TICK) and not self._read():
            self._selector.unregister(self._pipe)

    def drain(self) -> None:
        """Pass on what is in the pipe, one pipe's content at most."""
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
