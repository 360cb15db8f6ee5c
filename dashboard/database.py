"""The database: SQLite in the data directory, or PostgreSQL at ``DATABASE_URL``."""

from pathlib import Path
from typing import cast

import dj_database_url

from dashboard import env

CONNECT_SECONDS = 2
SILENCE_SECONDS = 5
"""How long a PostgreSQL connection may be silent before it is probed or given up."""


def database(sqlite_path: Path, *, lock_seconds: float) -> dict[str, object]:
    """An entry of Django's ``DATABASES``.

    Args:
        lock_seconds: how long a query waits for a lock of another transaction.
    """
    found: dict[str, object] = env.parsed(
        "DATABASE_URL",
        {"ENGINE": "django.db.backends.sqlite3", "NAME": sqlite_path},
        lambda url: dict(dj_database_url.parse(url)),
        "an address such as postgres://user:password@host:5432/name",
        secret=True,
    )
    if found["ENGINE"] == "django.db.backends.sqlite3":
        found["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": lock_seconds,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    elif found["ENGINE"] == "django.db.backends.postgresql":
        # Without time-outs a lost server would block every page and /readyz for minutes.
        given = cast("dict[str, object]", found.get("OPTIONS") or {})
        found["OPTIONS"] = {
            "connect_timeout": CONNECT_SECONDS,
            # These notice a lost network. tcp_user_timeout is in milliseconds and works on Linux.
            "keepalives_idle": SILENCE_SECONDS,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "tcp_user_timeout": SILENCE_SECONDS * 1000,
            "options": f"-c lock_timeout={round(lock_seconds * 1000)}",
        } | given
    # Connections live as long as their thread. The embedded API processes an inner request inside
    # a page's request; the end of the inner request would otherwise close the page's connection.
    return found | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
