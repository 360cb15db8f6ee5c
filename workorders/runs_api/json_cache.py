"""A Django cache backend that stores its values as JSON in a database table.

Django's own database cache stores pickles. Unpickling can execute code, so any host that may write
to the table could run code in every web server. ``createcachetable`` creates the table.
"""

import contextlib
import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import connection, transaction
from django.utils import timezone


class JSONDatabaseCache(DatabaseCache):
    """Database cache for SQLite and PostgreSQL. Values must be serializable as JSON.

    A row whose value is not JSON counts as missing. Another version of the dashboard may have
    written such rows.
    """

    _table: str
    _cull: Any

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        names = {self.make_and_validate_key(key, version=version): key for key in keys}
        if not names:
            return {}
        placeholders = ", ".join(["%s"] * len(names))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT cache_key, value FROM {self._quoted_table()}"  # noqa: S608
                f" WHERE cache_key IN ({placeholders}) AND expires >= %s",
                [*names, _stored(timezone.now())],
            )
            rows = cursor.fetchall()
        found = {}
        for name, value in rows:
            with contextlib.suppress(ValueError):
                found[names[name]] = json.loads(value)
        return found

    def _base_set(self, mode: str, key: str, value: object, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        """Write one row, and return whether a row was written.

        Args:
            mode: ``set``: insert or replace the value; ``add``: insert the value unless the key
                has a value that has not expired; ``touch``: change only when the value expires.
            key: the key as it is stored.
            value: the value; not used by ``touch``.
            timeout: seconds until the value expires; ``None``: never.
        """
        expires = self._expires(timeout)
        if mode == "touch":
            statement = f"UPDATE {self._quoted_table()} SET expires = %s WHERE cache_key = %s"  # noqa: S608
            return self._write(statement, [expires, key])
        statement = (
            f"INSERT INTO {self._quoted_table()} AS kept (cache_key, value, expires)"  # noqa: S608
            " VALUES (%s, %s, %s) ON CONFLICT (cache_key) DO UPDATE"
            " SET value = excluded.value, expires = excluded.expires"
        )
        values = [key, json.dumps(value), expires]
        if mode == "add":
            statement += " WHERE kept.expires < %s"
            values.append(_stored(timezone.now()))
        return self._write(statement, values)

    def _write(self, statement: str, values: list[Any]) -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {self._quoted_table()}")  # noqa: S608
            (count,) = cursor.fetchone()
            if count > self._max_entries:
                now = timezone.now().replace(tzinfo=None)
                self._cull(connection.alias, cursor, now, count)
            cursor.execute(statement, values)
            return bool(cursor.rowcount)

    def _expires(self, timeout: Any) -> Any:
        seconds = self.get_backend_timeout(timeout)
        if seconds is None:
            return _stored(dt.datetime.max.replace(microsecond=0, tzinfo=dt.UTC))
        return _stored(dt.datetime.fromtimestamp(seconds, dt.UTC))

    def _quoted_table(self) -> str:
        return connection.ops.quote_name(self._table)


def _stored(timestamp: dt.datetime) -> Any:
    """Return the timestamp in the form in which the database stores it."""
    return connection.ops.adapt_datetimefield_value(timestamp)
