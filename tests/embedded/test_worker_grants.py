"""A worker with its own database role cannot read or change the dashboard's tables."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connection

from tests.embedded.conftest import eventually
from tests.support.commands import run_command
from tests.support.embedded_workers import WorkerProcess, database_url
from workorders.embedded.models import Run, WorkOrder

ROLE = "runs_worker_of_tests"
ALLOWED = {
    *("embedded_workorder", "embedded_run", "embedded_iteration", "embedded_logchunk"),
    *("embedded_worker", "django_tasks_database_dbtaskresult"),
}
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


@pytest.mark.parametrize("role", ["", "a b", "x; DROP TABLE embedded_run", 'a"b', "A"])
def test_malformed_role_name_is_refused(role: str) -> None:
    with pytest.raises(CommandError, match="role's name"):
        run_command("worker_grants", role)


@pytest.fixture
def role(transactional_db: None) -> Iterator[str]:
    """The URL of the test database for the worker's role."""
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has roles")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'of-the-worker'")
        cursor.execute(run_command("worker_grants", ROLE))
    yield f"postgres://{ROLE}:of-the-worker@{database_url().rpartition('@')[2]}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


def test_grants_suffice_for_a_run_and_allow_no_more(
    role: str,
    worker: Callable[..., WorkerProcess],
    work_order: WorkOrder,
    trigger: Callable[..., Run],
    set_profile: Callable[..., None],
) -> None:
    set_profile(verify='test "$ITERATION" = 2')
    process = worker(DATABASE_URL=role)
    run = trigger(work_order)
    eventually(lambda: Run.objects.get(pk=run.pk).completed_at)
    assert Run.objects.get(pk=run.pk).status == "succeeded"
    assert "permission denied" not in process.log.read_text()
    with psycopg.connect(role) as own:
        held = {
            (table, right)
            for table in connection.introspection.table_names()
            for right in RIGHTS
            for (has_it,) in own.execute("SELECT has_table_privilege(%s, %s)", [table, right])
            if has_it
        }
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            own.execute("CREATE TABLE planted (x integer)")
    assert {table for table, _ in held} == ALLOWED
    kept = {"embedded_workorder", "embedded_run", "embedded_logchunk"}
    assert not {table for table, right in held if right in {"DELETE", "TRUNCATE"}} & kept
