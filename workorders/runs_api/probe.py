"""A thread that calls the runs API whenever no page does, to keep the health record current."""

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
    """Start the probe of this process unless the probe is running already.

    The embedded API needs no probe, because it is part of this process.
    """
    global _thread  # noqa: PLW0603, one thread for each process
    if not settings.RUNS_API_URL or (_thread and _thread.is_alive()):
        return
    with _starting:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_run, name="runs-api-probe", daemon=True)
            _thread.start()


def probe_once(client: RunsClient) -> None:
    """List one work order: this call succeeds only if address, key and envelope are right.

    A failure confirms the health record's suspicion (``HealthRecord.confirm_suspicion``).
    """
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
            probe_once(client)
        pause = PAUSE_SECONDS if record.health.is_well else PAUSE_WHILE_WRONG_SECONDS
        record.suspicion_raised.wait(pause)


def _is_fresh(last_answer: datetime | None) -> bool:
    if last_answer is None:
        return False
    return datetime.now(UTC) - last_answer < timedelta(seconds=PAUSE_SECONDS)
