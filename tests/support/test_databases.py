"""A database and a Redis of one's own, on the servers that the test run was given, if any.

``TEST_DATABASE_URL`` and ``TEST_REDIS_URL`` name them, as ``tests.support.ephemeral_servers``
starts them.
"""

import os
import random
import uuid
from pathlib import Path

import psycopg
from psycopg import sql

REDIS_DATABASES = 1000


def new_database(directory: Path, server: str = "") -> str:
    """The URL of an empty database; SQLite in the directory where no server was given."""
    server = server or os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        return f"sqlite:///{directory}/dashboard.sqlite3"
    name = f"of_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{server.rpartition('/')[0]}/{name}"


def new_redis() -> str:
    """The URL of a Redis that nobody else uses; ``""`` where no server was given."""
    server = os.environ.get("TEST_REDIS_URL", "")
    number = random.randint(1, REDIS_DATABASES - 1)
    return f"{server.rpartition('/')[0]}/{number}" if server else ""
