"""A new database and a Redis database for one test, on the servers of the test run, if any.

``TEST_DATABASE_URL`` and ``TEST_REDIS_URL`` are the URLs of the servers, which
``tests.support.ephemeral_servers`` sets.
"""

import os
import random
import uuid
from pathlib import Path

import psycopg
from psycopg import sql

REDIS_DATABASES = 1000


def new_database(directory: Path, server: str = "") -> str:
    """The URL of an empty database; without a server, of an SQLite file in the directory."""
    server = server or os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        return f"sqlite:///{directory}/dashboard.sqlite3"
    name = f"of_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{server.rpartition('/')[0]}/{name}"


def new_redis() -> str:
    """The URL of a Redis database chosen at random; ``""`` without a server."""
    server = os.environ.get("TEST_REDIS_URL", "")
    number = random.randint(1, REDIS_DATABASES - 1)
    return f"{server.rpartition('/')[0]}/{number}" if server else ""
