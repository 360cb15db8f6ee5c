"""A command that ``serve`` runs once a day, beside the processes that always run."""

import subprocess
import sys
import time

from django.conf import settings

DAY_SECONDS = 86_400
FIRST_SECONDS = 60
"""After the start, which has enough to do."""


class DailyCleanUp:
    """``manage.py clean_up``; ``tick`` it often."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._next = time.monotonic() + FIRST_SECONDS

    def tick(self) -> None:
        if self._process and self._process.poll() is not None:
            self._process = None
        if not self._process and time.monotonic() >= self._next:
            self._next = time.monotonic() + DAY_SECONDS
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "clean_up"]
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, process_group=0
            )

    def end(self) -> None:
        """What it has not removed yet waits for the next time."""
        if self._process:
            self._process.terminate()
            self._process.wait()
