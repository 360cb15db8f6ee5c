"""Real ``manage.py worker`` processes on the test database."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.db import connection
from django_tasks_db.models import DBTaskResult
from redis import Redis

MANAGE = Path(__file__).parents[2] / "manage.py"


class WorkerProcess:
    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    def send(self, signal_number: signal.Signals) -> None:
        self.process.send_signal(signal_number)

    def wait(self) -> int:
        return self.process.wait(timeout=30)

    def end(self) -> None:
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.process.kill()
            self.process.wait()


def start_worker(name: str, data_dir: Path, environment: Mapping[str, str]) -> WorkerProcess:
    log = data_dir / f"worker-{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(MANAGE), "worker", "--name", name],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "dashboard.settings",
                "DATA_DIR": str(data_dir),
                "WORKSPACES_DIR": str(data_dir / "workspaces"),
                "DATABASE_URL": database_url(),
                "RUNS_API_KEY": "a-key-that-no-agent-may-see",
                "RUN_LEASE_SECONDS": str(settings.RUN_LEASE_SECONDS),
                **environment,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return WorkerProcess(process, log)


def database_url() -> str:
    """The URL of the test database, which is not the database of ``DATABASE_URL``."""
    name = connection.settings_dict["NAME"]
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    return f"{server}/{name}" if server else f"sqlite:///{name}"


def lose_calls() -> None:
    """Delete all pending wake-up calls, as when the server that stores them was lost."""
    if settings.REDIS_URL:
        Redis.from_url(settings.REDIS_URL).flushdb()
    else:
        DBTaskResult.objects.all().delete()


def is_alive(process_id: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
