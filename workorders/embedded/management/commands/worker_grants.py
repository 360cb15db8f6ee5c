"""``manage.py worker_grants ROLE``: SQL that gives a PostgreSQL role only a worker's rights."""

import re
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import models
from django_tasks_db.models import DBTaskResult

from workorders.embedded.models import Iteration, LogChunk, Run, Worker, WorkOrder

GRANTS: dict[type[models.Model], str] = {
    WorkOrder: "SELECT, UPDATE",
    Run: "SELECT, UPDATE",
    Iteration: "SELECT, INSERT, UPDATE",
    LogChunk: "SELECT, INSERT",
    Worker: "SELECT, INSERT, UPDATE, DELETE",
    DBTaskResult: "SELECT, INSERT, UPDATE, DELETE",
}
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Command(BaseCommand):
    help = (
        "Print the SQL that gives a PostgreSQL role what a worker needs: no accounts, sessions, "
        "attempts or shared reads. 'manage.py worker_grants runs_worker | psql …' after 'migrate'."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="Its name; the role must exist.")

    def handle(self, *, role: str, **options: Any) -> None:
        if not _ROLE.fullmatch(role):
            raise CommandError("A role's name is lower-case letters, digits and '_'.")
        self.stdout.write("\n".join(statements(role)))


def statements(role: str) -> Iterator[str]:
    """The GRANT statements for the role, each a line of SQL."""
    yield f"GRANT USAGE ON SCHEMA public TO {role};"
    for model, rights in GRANTS.items():
        table = model._meta.db_table  # noqa: SLF001 (a documented name of Django)
        yield f"GRANT {rights} ON {table} TO {role};"
        if "INSERT" in rights and isinstance(model._meta.pk, models.AutoField):  # noqa: SLF001
            yield f"GRANT USAGE ON SEQUENCE {table}_id_seq TO {role};"
