"""One shell command in a process group of its own."""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workorders.guardian import Guardian, kill_group

READ_BYTES = 65_536
TICK = 0.1
"""Seconds between two looks at whether to stop, when the command is silent."""
PIPE_READS = 16
"""A full pipe is 1 MiB at most: one who keeps writing cannot hold the run up."""
GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """``input_file`` becomes its standard input."""

    shell: str
    directory: Path
    environment: Mapping[str, str]
    input_file: Path


class Interrupted(Exception):  # noqa: N818 (an outcome)
    """The command was ended from outside, for the reason ``must_stop`` gave."""


def run_command(
    command: Command,
    *,
    guardian: Guardian,
    on_output: Callable[[bytes], None],
    on_tick: Callable[[], None],
    must_stop: Callable[[], bool],
) -> int:
    """Its exit code (negative: ended by that signal).

    ``on_output`` gets standard output and error as they come, ``on_tick`` is
    called at least every ``TICK`` seconds, ``must_stop`` before each. No process
    of the group is alive on return, whatever way it ends. Raises ``Interrupted``,
    and what the callbacks raise.
    """
    with command.input_file.open("rb") as standard_input:
        process = subprocess.Popen(  # noqa: S602 (a shell command of the server's own profiles file)
            command.shell,
            shell=True,
            executable="/bin/sh",
            cwd=command.directory,
            env=dict(command.environment),
            stdin=standard_input,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    guardian.started(process.pid)
    try:
        with _Output(process, on_output) as output:
            while process.poll() is None:
                if must_stop():
                    _end(process, output)
                    raise Interrupted
                output.wait()
                on_tick()
            # What it left in the background would write into the next command's log.
            kill_group(process.pid)
            output.drain()
        return process.returncode
    finally:
        kill_group(process.pid)
        process.wait()
        guardian.ended(process.pid)


def _end(process: subprocess.Popen[bytes], output: "_Output") -> None:
    kill_group(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while process.poll() is None and time.monotonic() < deadline:
        output.wait()
    kill_group(process.pid)
    output.drain()


class _Output:
    """Reads what there is and never waits for the end of the pipe: a background process
    that left the group may hold it open for ever.
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
