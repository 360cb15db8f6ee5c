"""Checks at the start: only one product uses a data directory, and the database is its own."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from workorders.processes.database_outage import database_cannot_be_used

LARGEST_CHECKED_BYTES = 500_000_000
"""SQLite files above this size are not checked for damage: the check would delay the start."""
OWN_APPS = frozenset({"workorders", "embedded"})


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold an exclusive lock on the directory inside the ``with`` block.

    The operating system releases the lock when the process ends, even after a SIGKILL. The file
    ``lock`` holds the process ID.

    Raises:
        CommandError: another product uses the directory, or the directory is not writable.
    """
    path = directory / "lock"
    try:
        with path.open("a+") as file:
            _lock(file.fileno(), directory)
            os.ftruncate(file.fileno(), 0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield
    except OSError as exc:
        if exc.filename != str(path):
            raise
        raise CommandError(f"DATA_DIR {directory} cannot be used: {exc.strerror}.") from exc


def _lock(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        if exc.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
            return  # the file system supports no locks
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        process = f" (process {holder})" if holder.isdecimal() else ""
        raise CommandError(
            f"Another product runs on DATA_DIR {directory}{process}. "
            "Stop that one, or set DATA_DIR to another folder."
        ) from exc


def require_own_database() -> None:
    """Check that this version of the product may use the database. Changes nothing.

    Raises:
        CommandError: the database belongs to another program, was used by a newer version, is
            damaged or cannot be reached; the message is for the person who starts the product.
    """
    try:
        if connection.vendor == "sqlite":
            _require_undamaged_file()
        tables = set(connection.introspection.table_names())
        if connection.vendor == "sqlite" and tables and "django_migrations" not in tables:
            raise CommandError(
                f"{connection.settings_dict['NAME']} is the database of another program. "
                "Set DATA_DIR to a folder of this product's own."
            )
        loader = MigrationLoader(connection)
    except DatabaseError as exc:
        raise CommandError(database_cannot_be_used(exc)) from exc
    applied, known = loader.applied_migrations or (), loader.disk_migrations or ()
    if newer := sorted(
        name for app, name in applied if app in OWN_APPS and (app, name) not in known
    ):
        raise CommandError(
            f"The database was used by a newer version of this product (it has {newer[-1]}). "
            "Start that version, or restore a backup made before it."
        )


def _require_undamaged_file() -> None:
    """Raise ``DatabaseError`` when SQLite finds a damaged page in the file.

    Without this check the damage might only show when an operator starts a run.
    """
    file = Path(connection.settings_dict["NAME"])
    if file.exists() and file.stat().st_size > LARGEST_CHECKED_BYTES:
        return
    with connection.cursor() as cursor:
        [result] = cursor.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise DatabaseError(result)
