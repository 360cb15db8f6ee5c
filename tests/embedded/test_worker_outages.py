"""Real worker processes whose database cannot be used for a while, or that are suspended."""

import re
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from pytest_django import Settings

from tests.embedded.conftest import (
    WRITE_PROCESS_ID,
    MakeRun,
    SetProfile,
    Start,
    agent_process_id,
    eventually,
    has_ended,
    log_of,
)
from tests.support.embedded_workers import is_alive
from workorders.embedded.models import Run, WorkOrder
from workorders.embedded.worker.executor import DATABASE_AWAY

TICKS = f"""
{WRITE_PROCESS_ID}
i=0
while [ $i -lt {{count}} ]; do i=$((i+1)); echo tick $i; sleep 0.05; done
"""
FOR_EVER = 1_000_000


@contextmanager
def locked_database() -> Iterator[None]:
    """Hold a lock under which nobody can write."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        holder = sqlite3.connect(database["NAME"], isolation_level=None)
        holder.execute("PRAGMA busy_timeout = 20000")
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")
        holder.close()
        return
    server = {"host": database["HOST"], "port": database["PORT"], "user": database["USER"]}
    with psycopg.connect(dbname=database["NAME"], **server) as other:
        other.execute("LOCK embedded_run IN SHARE ROW EXCLUSIVE MODE")
        yield


def test_short_lock_of_the_database_loses_nothing(
    worker: Start,
    work_order: WorkOrder,
    trigger: MakeRun,
    set_profile: SetProfile,
    settings: Settings,
) -> None:
    """Within the lease no output is lost or doubled; the worker logs the outage once."""
    settings.RUN_LEASE_SECONDS = 60
    set_profile(agent=TICKS.format(count=40))
    process = worker(DATABASE_LOCK_SECONDS="0.1")
    run = trigger(work_order)
    agent = agent_process_id(run)
    with locked_database():
        eventually(lambda: not is_alive(agent))
    eventually(lambda: has_ended(run))
    assert (run.status, run.error) == ("succeeded", "")
    ticks = [int(number) for number in re.findall(r"^tick (\d+)$", log_of(run), re.MULTILINE)]
    assert ticks == list(range(1, 41))
    log = process.log.read_text()
    assert log.count("The database cannot be used") == 1
    assert "Traceback" not in log


def test_commands_end_before_the_lease_expires(
    worker: Start,
    work_order: WorkOrder,
    trigger: MakeRun,
    set_profile: SetProfile,
    settings: Settings,
) -> None:
    """A worker that cannot renew its lease ends its commands by its own clock, and logs it."""
    settings.RUN_LEASE_SECONDS = 2
    set_profile(agent=TICKS.format(count=FOR_EVER))
    worker(DATABASE_LOCK_SECONDS="0.1")
    run = trigger(work_order)
    agent = agent_process_id(run)
    with locked_database():
        eventually(lambda: not is_alive(agent))
        assert Run.objects.active().filter(pk=run.pk).exists(), (
            "its end could be written although the database is locked"
        )
    eventually(lambda: has_ended(run))
    assert (run.status, run.error) == ("failed", DATABASE_AWAY.format(seconds=2))


def test_commands_of_a_suspended_worker_end_before_the_lease_expires(
    worker: Start,
    work_order: WorkOrder,
    trigger: MakeRun,
    set_profile: SetProfile,
    settings: Settings,
) -> None:
    settings.RUN_LEASE_SECONDS = 2
    set_profile(agent=TICKS.format(count=FOR_EVER))
    process = worker()
    run = trigger(work_order)
    agent = agent_process_id(run)
    process.send(signal.SIGSTOP)
    eventually(lambda: not is_alive(agent))
    process.send(signal.SIGCONT)
    eventually(lambda: has_ended(run))
    assert run.status == "failed"
