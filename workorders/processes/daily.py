"""``serve`` runs ``manage.py clean_up`` once a day."""

import subprocess
import sys
import time

from django.conf import settings

DAY_SECONDS = 86_400
FIRST_SECONDS = 60
"""Pause before the first clean-up: the start itself keeps the machine busy."""


class DailyCleanUp:
    """Runs ``manage.py clean_up`` once a day. Call ``tick`` often, at least every few seconds."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._next = time.monotonic() + FIRST_SECONDS

    def tick(self) -> None:
        """Start the command when it is due. Returns at once."""
        if self._process and self._process.poll() is not None:
            self._process = None
        if not self._process and time.monotonic() >= self._next:
            self._next = time.monotonic() + DAY_SECONDS
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "clean_up"]
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, process_group=0
            )

    def end(self) -> None:
        """Stop a running clean-up; the next one removes what is left."""
        if self._process:
            self._process.terminate()
            self._process.wait()
