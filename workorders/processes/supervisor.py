"""Keeps the child processes of ``serve`` running: the web server and the workers."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, Any, Self, TextIO, override

from workorders.processes.orphan_reaper import OrphanReaper, kill_group

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
SETTLED_SECONDS = 30
"""A process that ran this long before it ended is in no crash loop."""
SECOND_GRACE_SECONDS = 5
LOG_FILE_BYTES = 5_000_000
LOG_FILES_KEPT = 2


@dataclass
class Child:
    """One process, started again whenever it ends, after a pause that doubles.

    The child leads a process group of its own: a Ctrl-C in the terminal reaches only the
    supervisor, which then ends the children in order. The child's output goes to the console and
    to ``log_file``.
    """

    name: str
    log_file: Path
    _command: Sequence[str]
    _environment: dict[str, str]
    _output: logging.Logger
    _orphan_reaper: OrphanReaper
    _process: subprocess.Popen[str] | None = None
    _started_at = 0.0
    _pause = 0.0
    _start_at = 0.0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            text=True,
            errors="replace",
        )
        self._orphan_reaper.started(self._process.pid)
        self._started_at = time.monotonic()
        threading.Thread(target=self._pass_on, args=[self._process.stdout], daemon=True).start()

    def keep_running(self) -> None:
        """Restart the process if it has ended and its pause is over. Call this often."""
        if self.running:
            return
        if self._process is not None:
            self._plan_restart()
        elif time.monotonic() >= self._start_at:
            self.start()

    def terminate(self) -> None:
        """Send SIGTERM to the process alone, which ends its own children."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """Send SIGKILL to the process group, even if the leading process has ended before."""
        if self._process is not None:
            kill_group(self._process.pid)
            self._process.wait()
            self._orphan_reaper.ended(self._process.pid)

    def how_it_ended(self) -> str:
        """Words for log lines, such as ``ended with status 1`` or ``was ended by SIGKILL``."""
        status = self._process.returncode if self._process else 0
        if status >= 0:
            return f"ended with status {status}"
        known = -status in signal.Signals  # real-time signals have no name
        return f"was ended by {signal.Signals(-status).name if known else f'signal {-status}'}"

    def _plan_restart(self) -> None:
        now = time.monotonic()
        if self._pause and now - self._started_at < SETTLED_SECONDS:
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
        else:
            self._pause = FIRST_PAUSE_SECONDS
        self._start_at = now + self._pause
        logger.warning("%s %s; restart in %g s", self.name, self.how_it_ended(), self._pause)
        self.kill()
        self._process = None

    def _pass_on(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self._output.info("%s", line.rstrip("\n"))


class Supervisor:
    """Keeps children running until SIGINT, SIGTERM or SIGHUP; leaving the block ends them all.

    Args:
        logs: the directory of the children's log files.
        grace_seconds: how long children may take to end after the first SIGTERM.
        named_lines: put a child's name before each of its lines on the console.
    """

    def __init__(self, *, logs: Path, grace_seconds: float, named_lines: bool) -> None:
        self._logs = logs
        self._grace_seconds = grace_seconds
        self._named_lines = named_lines
        self._children: list[Child] = []
        self._times_asked = 0

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup a closed terminal is no reason to stop.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._ask)
        self._orphan_reaper = OrphanReaper()
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Send SIGTERM; after the grace SIGTERM again, which ends a worker's run; then SIGKILL.

        Another signal, such as a second Ctrl-C, ends the present wait at once.
        """
        for seconds in (self._grace_seconds, SECOND_GRACE_SECONDS):
            for child in self._children:
                child.terminate()
            self._wait(seconds)
        for child in self._children:
            child.kill()
        self._orphan_reaper.close()

    @property
    def stopping(self) -> bool:
        return self._times_asked > 0

    def start(self, name: str, command: Sequence[str], **environment: str) -> Child:
        """Start a child; ``environment`` adds variables to those of this process."""
        log_file = self._logs / f"{name}.log"
        child = Child(
            name,
            log_file,
            command,
            os.environ | environment,
            _output_logger(name, log_file, named_lines=self._named_lines),
            self._orphan_reaper,
        )
        self._children.append(child)
        child.start()
        return child

    def tick(self) -> None:
        """Restart children that have ended, then wait ``TICK_SECONDS``."""
        for child in self._children:
            child.keep_running()
        time.sleep(TICK_SECONDS)

    def _wait(self, seconds: float) -> None:
        asked = self._times_asked
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and asked == self._times_asked:
            if not any(child.running for child in self._children):
                return
            time.sleep(TICK_SECONDS)

    def _ask(self, *_: object) -> None:
        # A signal handler interrupts any instruction, so it only counts.
        self._times_asked += 1


class _Console(logging.StreamHandler[TextIO]):
    """Ignores ``OSError``: the console may be a file on a full disk, with no place to report it."""

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handleError(record)


class _LogFile(RotatingFileHandler):
    """A log file that only its owner can read: agents and scripts may print secrets.

    A file that cannot be written causes one warning; ``logging`` would print a traceback for
    each line.
    """

    _failure = ""
    """Why the last line could not be written."""

    @override
    def _open(self) -> Any:
        opened = super()._open()
        os.fchmod(opened.fileno(), 0o600)
        return opened

    @override
    def emit(self, record: logging.LogRecord) -> None:
        before, self._failure = self._failure, ""
        super().emit(record)
        if self._failure and not before:
            logger.warning(
                "%s cannot be written (%s): lines go to the console alone",
                self.baseFilename,
                self._failure,
            )

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        if isinstance(error := sys.exception(), OSError):
            self._failure = error.strerror or str(error) or type(error).__name__
        else:
            super().handleError(record)


def _output_logger(name: str, log_file: Path, *, named_lines: bool) -> logging.Logger:
    """A logger that adds no time and no level: a child's lines have their own."""
    console = _Console()
    console.setFormatter(
        logging.Formatter(f"{name} | %(message)s" if named_lines else "%(message)s")
    )
    output = logging.getLogger(f"output.{name}")
    output.propagate = False
    output.setLevel(logging.INFO)
    output.handlers = [
        _LogFile(log_file, maxBytes=LOG_FILE_BYTES, backupCount=LOG_FILES_KEPT),
        console,
    ]
    return output
