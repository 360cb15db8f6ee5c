"""Asks the runs API when nobody else does, so that its record is never out of date."""

import threading
from datetime import UTC, datetime, timedelta

from django.conf import settings

from workorders.errors import RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.clients import probing_client

PAUSE_SECONDS = 5.0
PAUSE_WHILE_WRONG_SECONDS = 2.0

_starting = threading.Lock()
_thread: threading.Thread | None = None


def ensure_running() -> None:
    """Start this process's probe unless it runs; the embedded API, a part of it, needs none."""
    global _thread  # noqa: PLW0603, one for each process
    if not settings.RUNS_API_URL or (_thread and _thread.is_alive()):
        return
    with _starting:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_run, name="runs-api-probe", daemon=True)
            _thread.start()


def look(client: RunsClient) -> None:
    """Ask with the one call for which address, key and envelope must all be right."""
    try:
        client.list_work_orders(limit=1)
    except RunsAPIError:
        client.record.confirm_suspicion()
    client.record.suspicion_raised.clear()


def _run() -> None:
    client = probing_client()
    record = client.record
    while True:
        if not _is_fresh(record.health.last_answer) or not record.accepts_queueing:
            look(client)
        pause = PAUSE_SECONDS if record.health.is_well else PAUSE_WHILE_WRONG_SECONDS
        record.suspicion_raised.wait(pause)


def _is_fresh(last_answer: datetime | None) -> bool:
    if last_answer is None:
        return False
    return datetime.now(UTC) - last_answer < timedelta(seconds=PAUSE_SECONDS)
