"""A database of the first released version is upgraded in place, by ``migrate`` alone.

``tests/data/upgrade/`` contains that version's database as SQL: rows of every kind in every
state. The version itself created the schema, the password hashes, the session, the tasks and the
cached reads. The files are never edited: users have such databases.

The tests run on PostgreSQL where ``TEST_DATABASE_URL`` names a server, otherwise on SQLite.
"""

import json
import re
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.support.page_text import text_of
from tests.support.product import WebServer

DUMPS = Path(__file__).parent / "data" / "upgrade"
ATTEMPTS = "workorders_triggerattempt"
CONVERTED = {"state", "appeared", "found", "earlier"}
"""Columns of attempts whose values have new names or another form by now."""
WRONG_LINKS = {12, 13}
"""Attempt 12 names a run that existed before the request, attempt 13 the run of attempt 8."""

type Rows = dict[str, set[str]]
"""For each table, every row as text; the columns are those of the old version."""


@dataclass
class OldDatabase:
    """The database at a URL (``sqlite:///PATH`` or ``postgres://…``), filled from the dump."""

    url: str

    def __post_init__(self) -> None:
        vendor = "sqlite" if self.url.startswith("sqlite:") else "postgresql"
        dump = (DUMPS / f"{vendor}.sql").read_text()
        with closing(self._connect()) as connection:
            if isinstance(connection, sqlite3.Connection):
                connection.executescript(dump)
            else:
                connection.execute(dump.encode())
                connection.commit()
        tables = set(re.findall(r'^INSERT INTO (?:public\.)?"?(\w+)', dump, re.MULTILINE))
        self._columns: dict[str, list[str]] = {}
        with closing(self._connect()) as connection:
            for table in tables - {"sqlite_sequence"}:
                found: Any = connection.execute(f"SELECT * FROM {table} LIMIT 0")
                self._columns[table] = [column[0] for column in found.description]

    def rows(self, *, without: Collection[str] = ()) -> Rows:
        """The rows of now, in the columns of the old version but for those in ``without``."""
        rows = {}
        for table, columns in self._columns.items():
            names = ", ".join(f'"{name}"' for name in columns if name not in without)
            rows[table] = set(map(repr, self.select(f"SELECT {names} FROM {table}")))
        return rows

    def select(self, query: str) -> list[tuple[Any, ...]]:
        with closing(self._connect()) as connection:
            rows: list[tuple[Any, ...]] = connection.execute(query).fetchall()
        return rows

    def _connect(self) -> sqlite3.Connection | psycopg.Connection:
        if self.url.startswith("sqlite:"):
            return sqlite3.connect(self.url.removeprefix("sqlite:///"))
        return psycopg.connect(self.url)


@dataclass
class Upgrade:
    """The rows before and after the upgrade, the exported attempts, and the running product.

    ``database`` is the upgraded database.
    """

    database: OldDatabase
    before: Rows
    after: Rows
    attempts: dict[int, dict[str, Any]]
    product: WebServer

    @contextmanager
    def signed_in(self, username: str, password: str) -> Iterator[httpx.Client]:
        """A browser that has sent the sign-in form."""
        fields = {"username": username, "password": password}
        with httpx.Client(base_url=self.product.url, trust_env=False, timeout=60) as client:
            client.get("/sign-in/").raise_for_status()
            headers = {"X-CSRFToken": client.cookies["csrftoken"]}
            client.post("/sign-in/", headers=headers, data=fields)
            yield client


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgrade]:
    product = WebServer(tmp_path_factory.mktemp("upgrade"))
    database = OldDatabase(product.environment["DATABASE_URL"])
    before = database.rows(without=CONVERTED)
    product.manage("migrate", "--verbosity", "0")
    exported = map(json.loads, product.manage("export_attempts").splitlines())
    attempts = {int(attempt["key"][-12:]): attempt for attempt in exported}
    after = database.rows(without=CONVERTED)
    with product:
        yield Upgrade(database, before, after, attempts, product)


@pytest.fixture(scope="module")
def anna(upgrade: Upgrade) -> Iterator[httpx.Client]:
    """The browser of an operator, signed in with the password of the old version."""
    with upgrade.signed_in("anna", "anna's long password") as client:
        yield client


def text_at(client: httpx.Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return text_of(response.text)


def test_no_row_is_lost_or_changed_except_wrong_links(upgrade: Upgrade) -> None:
    gone = {table: rows - upgrade.after[table] for table, rows in upgrade.before.items()}
    corrected = gone.pop(ATTEMPTS)
    assert len(corrected) == len(WRONG_LINKS)
    assert not any(gone.values())
    assert len(upgrade.after[ATTEMPTS]) == len(upgrade.before[ATTEMPTS])


def test_models_need_no_further_migration(upgrade: Upgrade) -> None:
    upgrade.product.manage("makemigrations", "--check", "--dry-run")


def test_every_attempt_keeps_its_meaning(upgrade: Upgrade) -> None:
    names = ("user", "workOrderId", "state", "outcome", "runId", "runNumber", "found", "wasSent")
    assert {
        number: tuple(attempt[name] for name in names)
        for number, attempt in upgrade.attempts.items()
    } == {
        1: ("anna", "empty", "ready", "", "", None, False, False),
        2: ("anna", "login", "ready", "RUN_ALREADY_ACTIVE", "", None, False, True),
        3: ("anna", "login", "started", "started", "run-login-3", 3, False, True),
        4: ("operator", "login", "started", "started", "run-login-4", 4, True, True),
        5: ("dora", "slugs", "started", "queued", "run-slugs-2", 2, True, True),
        6: ("anna", "elsewhere", "started", "queued", "pending-6", None, False, True),
        7: ("anna", "report", "unsettled", "RUNS_API_TIMEOUT", "", None, False, True),
        8: ("anna", "slugs", "started", "queued", "run-slugs-3", 3, False, True),
        9: ("operator", "prices", "unknown", "ABANDONED", "", None, False, True),
        10: ("anna", "elsewhere", "sending", "", "", None, False, True),
        11: ("carl", "empty", "ready", "FORBIDDEN", "", None, False, True),
        12: ("carl", "login", "unknown", "OTHER_RUN_NAMED", "", None, False, True),
        13: ("dora", "slugs", "unknown", "OTHER_RUN_NAMED", "", None, False, True),
    }
    assert upgrade.attempts[5]["provisionalRunId"] == "pending-5"
    assert upgrade.attempts[3]["earlier"] == [
        {
            "sentAt": "2026-11-17T08:59:00+00:00",
            "outcome": "RUN_ALREADY_ACTIVE",
            "maxIterations": 7,
            "profileName": "",
            "durationSeconds": 0.25,
            "requestId": "request-0",
            "apiRequestId": "api-0",
        }
    ]
    assert [number for number, attempt in upgrade.attempts.items() if attempt["earlier"]] == [3]
    assert upgrade.attempts[3]["durationSeconds"] == 1
    assert upgrade.attempts[3]["knownRunIds"] == ["run-login-1", "run-login-2"]
    assert {attempt["nextRunNumber"] for attempt in upgrade.attempts.values()} == {None}


def test_attempts_are_stored_in_the_words_of_now(upgrade: Upgrade) -> None:
    """By number: the state, what has linked the run, and when the API had shown the run."""
    resent = upgrade.database.select(f"SELECT key FROM {ATTEMPTS} WHERE was_resent")
    assert [int(str(key)[-12:]) for (key,) in resent] == [3]
    names = "key, state, run_source, run_confirmed_at"
    stored = upgrade.database.select(f"SELECT {names} FROM {ATTEMPTS}")
    assert {
        int(str(key)[-12:]): (state, source, confirmed_at and str(confirmed_at)[:19])
        for key, state, source, confirmed_at in stored
    } == {
        1: ("pending", "", None),
        2: ("pending", "", None),
        3: ("started", "response", "2026-11-17 09:00:01"),
        4: ("started", "reconciled", "2026-11-18 09:00:04"),
        5: ("started", "reconciled", "2026-11-19 09:00:01"),
        6: ("started", "response", None),
        7: ("unconfirmed", "", None),
        8: ("started", "response", "2026-11-19 10:00:01"),
        9: ("unresolved", "", None),
        10: ("sent", "", None),
        11: ("pending", "", None),
        12: ("unresolved", "", None),
        13: ("unresolved", "", None),
    }


def test_the_upgrade_of_attempts_can_be_reversed(tmp_path: Path) -> None:
    product = WebServer(tmp_path)
    database = OldDatabase(product.environment["DATABASE_URL"])
    migrate = ("migrate", "--verbosity", "0", "workorders")
    product.manage(*migrate, "0005")
    before = database.rows()[ATTEMPTS]
    product.manage(*migrate)
    product.manage(*migrate, "0005")
    assert database.rows()[ATTEMPTS] == before


def test_accounts_keep_their_permissions_and_passwords(
    upgrade: Upgrade, anna: httpx.Client
) -> None:
    lines = upgrade.product.manage("list_accounts").splitlines()
    assert {tuple(line.split()[:2]) for line in lines} == {
        ("operator", "operator"),
        ("anna", "operator"),
        ("ben", "viewer"),
        ("carl", "disabled"),
        ("dora", "operator"),  # by the permission of her group
    }
    with upgrade.signed_in("ben", "ben's long password") as ben:
        assert "Trigger New Run" not in text_at(ben, "/work-orders/empty/")
    with upgrade.signed_in("carl", "carl's long password") as carl:
        assert carl.get("/work-orders/").status_code == 302
    assert "Trigger New Run" in text_at(anna, "/work-orders/empty/")


def test_pages_show_the_old_work_orders_runs_and_logs(anna: httpx.Client) -> None:
    listed = text_at(anna, "/work-orders/")
    for words in (
        "Fix the login page.",
        "keep ‘ü’ and 漢字",
        "Round prices.",
        "Nothing was started",
    ):
        assert words in listed
    login = text_at(anna, "/work-orders/login/")
    for number in (1, 2, 3, 4):
        assert f"Run #{number}" in login
    failed = text_at(anna, "/runs/run-login-1/")
    assert "The verification failed 2 times." in failed
    assert "1 failed: test_login" in failed
    passed = text_at(anna, "/runs/run-login-3/")
    assert "Line 12 of a long log" in passed
    assert "anna" in passed
    for run_id in ("run-login-2", "run-slugs-2", "run-slugs-3", "run-prices-1", "run-report-1"):
        text_at(anna, f"/runs/{run_id}/")
    logs = {run_id: anna.get(f"/runs/{run_id}/log/").content for run_id in LOGS}
    assert logs == LOGS


LOGS = {
    "run-login-1": b"Iteration 1\n\x1b[31mred words\x1b[0m \xe2\x80\x93 and a dash\n",
    "run-login-3": b"".join(b"Line %d of a long log\n" % number for number in range(1, 13)),
    "run-slugs-2": b"still running\n",
}


def test_wrong_run_link_of_an_attempt_is_corrected(anna: httpx.Client) -> None:
    attempts = anna.get("/work-orders/login/attempts/").text
    assert attempts.count('href="/runs/run-login-3/"') == 1  # attempt 3, not attempt 12
    assert "Triggered by anna" in text_at(anna, "/runs/run-slugs-3/")


def test_attempt_without_a_response_is_still_reconciled(anna: httpx.Client) -> None:
    report = text_at(anna, "/work-orders/report/")
    assert "Started, found among the work order's runs · Run #2" in report
