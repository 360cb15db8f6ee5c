"""The files in which the web server's processes count, so that each can tell the sum of all.

prometheus_client decides when it is imported whether it counts in memory or in files, so
nothing here imports it. Only a web server shares: a command's few calls are not worth
a file that stays. See https://prometheus.github.io/client_python/multiprocess/.
"""

import os
import sys
from pathlib import Path

from django.conf import settings

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def share() -> None:
    """Count in files from now on; without anybody who may ask, in memory."""
    # Whoever has imported it already has also decided: ``runserver``, which is one process.
    if settings.METRICS_TOKEN and "prometheus_client" not in sys.modules:
        os.environ[VARIABLE] = str(settings.METRICS_DIR)


def are_shared() -> bool:
    return VARIABLE in os.environ


def files() -> list[str]:
    """All that can be read: a process that is killed as it makes its file leaves an empty one."""
    found = Path(os.environ[VARIABLE]).glob("*.db")
    return [str(file) for file in found if file.stat().st_size]


def clear() -> None:
    """Begin at zero. While a web server runs, what it counts from then on is lost."""
    for file in settings.METRICS_DIR.glob("*.db"):
        file.unlink()
