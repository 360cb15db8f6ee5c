"""The settings of SQLite, the default database, for use by several processes."""

import sqlite3

import pytest
from django.db import connection, transaction


def pragma(name: str) -> str | int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        value: str | int = cursor.fetchone()[0]
    return value


def test_readers_do_not_wait_for_a_writer(db: None) -> None:
    assert pragma("journal_mode") == "wal"


def test_writer_waits_for_another_writer(db: None) -> None:
    assert int(pragma("busy_timeout")) >= 1000


@pytest.mark.django_db(transaction=True)
def test_transaction_that_reads_first_can_write_later() -> None:
    """Transactions are IMMEDIATE: they hold the write lock from the beginning."""
    other = sqlite3.connect(connection.settings_dict["NAME"], timeout=0)
    with transaction.atomic(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()
