"""The files in which the processes of a web server share their metrics.

With the files, each process can report the sum of all processes. prometheus_client decides when it
is imported whether it counts in memory or in files, so this module must not import it. Only web
servers share metrics: the few calls of a command are not worth a file, which would remain. See
https://prometheus.github.io/client_python/multiprocess/.
"""

import os
import sys
from pathlib import Path

from django.conf import settings

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def share() -> None:
    """Let prometheus_client count in files, if metrics can be read at all (METRICS_TOKEN)."""
    # Under ``runserver``, prometheus_client is imported already and counts in memory. That is
    # enough there, because ``runserver`` is one process.
    if settings.METRICS_TOKEN and "prometheus_client" not in sys.modules:
        os.environ[VARIABLE] = str(settings.METRICS_DIR)


def are_shared() -> bool:
    """Return whether this process counts in files."""
    return VARIABLE in os.environ


def files() -> list[str]:
    """Return the paths of all files that can be read.

    Empty files are left out: a process that was killed while it created its file leaves one.
    """
    found = Path(os.environ[VARIABLE]).glob("*.db")
    return [str(file) for file in found if file.stat().st_size]


def clear() -> None:
    """Delete all files, so that the metrics start at zero.

    This must not be called while a web server runs: what that server counts afterwards is lost.
    """
    for file in settings.METRICS_DIR.glob("*.db"):
        file.unlink()
