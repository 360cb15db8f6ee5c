"""The read cache: open pages share reads of the runs API, and never show older data than before."""

import base64
import pickle
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tests.support.page_text import show, version_of
from tests.support.runs_api import RunsAPI, refusal
from tests.support.trigger_form import HTMX
from workorders.errors import InvalidResponse, NetworkError, RunsAPIError
from workorders.runs_api.read_cache import (
    CachedRead,
    NotModified,
    ReadCache,
    SharedRead,
    read_cache,
)
from workorders.web import polling

PAGE = "/work-orders/wo-1/"
A_DAY = 86_400


@pytest.fixture(autouse=True)
def _shared_for_a_day(settings: Settings, db: None) -> None:
    """Reads are shared for a day, so that no test depends on its speed."""
    settings.SHARED_READ_SECONDS = A_DAY
    read_cache.cache_clear()
    polling._versions.clear()
    cache.clear()


class _Executed:
    """Loading the pickle of this object creates the file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def reads(api: RunsAPI) -> int:
    return len([asked for asked in api.asked if asked.path == "/work-orders/wo-1"])


def refresh(client: Client, version: str) -> int:
    return client.get(f"{PAGE}?version={version}", headers=HTMX).status_code


def become_another_process() -> None:
    """Forget what this process remembers, as a new process that shares the cache does."""
    read_cache.cache_clear()
    polling._versions.clear()


class TestPages:
    def test_many_pages_share_one_read(
        self, runs_api: RunsAPI, operator: Client, viewer: Client
    ) -> None:
        runs_api.has()
        versions = [version_of(show(client, PAGE)) for client in (operator, viewer)]
        polling._versions.clear()
        before = reads(runs_api)
        for _ in range(5):
            assert [refresh(operator, versions[0]), refresh(viewer, versions[1])] == [204, 204]
        assert reads(runs_api) == before + 1

    def test_processes_share_one_read(self, runs_api: RunsAPI, operator: Client) -> None:
        runs_api.has()
        version = version_of(show(operator, PAGE))
        before = reads(runs_api)
        for _ in range(3):
            become_another_process()
            assert refresh(operator, version) == 204
        assert reads(runs_api) == before + 1

    def test_unchanged_refresh_makes_no_call(self, runs_api: RunsAPI, operator: Client) -> None:
        runs_api.has()
        version = version_of(show(operator, PAGE))
        before = len(runs_api.asked)
        assert refresh(operator, version) == 204
        assert len(runs_api.asked) == before

    def test_full_page_load_always_reads_from_the_api(
        self, runs_api: RunsAPI, operator: Client
    ) -> None:
        runs_api.has()
        for _ in range(2):
            before = reads(runs_api)
            show(operator, PAGE)
            assert reads(runs_api) == before + 1

    def test_refresh_never_shows_older_data(self, runs_api: RunsAPI, operator: Client) -> None:
        """The read that was shared before the page was opened is older than the page."""
        runs_api.has(status="queued")
        show(operator, f"{PAGE}?version=x", htmx=True)
        runs_api.has(status="failed")
        version = version_of(show(operator, PAGE))
        become_another_process()
        assert refresh(operator, version) == 204

    def test_a_page_that_shows_an_older_version_gets_the_newest(
        self, runs_api: RunsAPI, operator: Client
    ) -> None:
        """Though the newest one, which another page shows, is still fresh."""
        runs_api.has(status="queued")
        seen = version_of(show(operator, PAGE))
        runs_api.has(status="failed")
        show(operator, PAGE)
        assert refresh(operator, seen) == 200

    def test_failure_is_shared_too(self, runs_api: RunsAPI, operator: Client) -> None:
        """Otherwise a refresh would report that nothing has changed."""
        runs_api.has()
        version = version_of(show(operator, PAGE))
        runs_api.on("GET", "/work-orders/wo-1", refusal(500, "INTERNAL_ERROR"))
        before = reads(runs_api)
        for _ in range(3):
            become_another_process()
            assert refresh(operator, version) == 503
        assert reads(runs_api) == before + 1

    def test_version_of_the_future_is_ignored(self, runs_api: RunsAPI, operator: Client) -> None:
        runs_api.has()
        digest = version_of(show(operator, PAGE)).partition("-")[0]
        become_another_process()
        refreshed = show(operator, f"{PAGE}?version=old-{time.time() + A_DAY}", htmx=True)
        assert float(version_of(refreshed).partition("-")[2]) <= time.time()
        assert refresh(operator, f"{digest}-nan") == 204

    def test_sharing_can_be_switched_off(
        self, runs_api: RunsAPI, operator: Client, settings: Settings
    ) -> None:
        settings.SHARED_READ_SECONDS = 0
        runs_api.has()
        version = version_of(show(operator, PAGE))
        before = reads(runs_api)
        for _ in range(3):
            assert refresh(operator, version) == 204
        assert reads(runs_api) == before + 3


class TestReads:
    def test_read_does_not_wait_for_another_thread(self) -> None:
        shared = ReadCache()
        requested, released = threading.Event(), threading.Event()

        def ask() -> dict[str, str]:
            requested.set()
            released.wait(30)
            return {"a": "b"}

        def first() -> CachedRead:
            # The cache of another thread's connection would not see this test's transaction.
            return shared.read("x", 0, ask)

        with ThreadPoolExecutor(1) as pool, pytest.MonkeyPatch.context() as patch:
            patch.setattr("workorders.runs_api.read_cache.cache", _Nowhere())
            pending = pool.submit(first)
            requested.wait(30)
            with pytest.raises(NotModified):
                shared.read("x", 0, dict)
            released.set()
            assert pending.result(30).data == {"a": "b"}

    def test_older_read_is_given_to_older_pages_while_another_thread_reads(
        self, settings: Settings
    ) -> None:
        """Otherwise most pages would never be refreshed while the API is slow."""
        shared = ReadCache()
        began = time.time()
        old = shared.read("x", 0, lambda: {"a": "old"})
        settings.SHARED_READ_SECONDS = 0

        def ask() -> dict[str, str]:
            assert shared.read("x", began - 1, dict).data == {"a": "old"}
            for shown in (old.asked_at, time.time()):
                with pytest.raises(NotModified):
                    shared.read("x", shown, dict)
            return {"a": "new"}

        assert shared.read("x", 0, ask).data == {"a": "new"}

    def test_failure_is_reported_while_another_thread_tries_again(self, settings: Settings) -> None:
        """A refresh must not report that nothing has changed, since nobody knows."""
        shared = ReadCache()
        began = time.time() - 1

        def fail() -> dict[str, str]:
            raise NetworkError("gone")

        shared.read("x", 0, fail)
        settings.SHARED_READ_SECONDS = 0

        def ask() -> dict[str, str]:
            with pytest.raises(NetworkError):
                _ = shared.read("x", began, dict).data
            return {"a": "b"}

        assert shared.read("x", began, ask).data == {"a": "b"}

    def test_later_read_of_a_page_is_not_older_than_an_earlier_one(self) -> None:
        """A page must not show a finished run beside an older state of its work order."""
        read_cache().read("work order", 0, lambda: {"status": "running"})
        page = SharedRead(0)
        page.read("run", lambda: {"of a run": "failed"})
        assert page.read("work order", lambda: {"status": "failed"}) == {"status": "failed"}

    def test_read_from_the_future_is_not_fresh(self) -> None:
        later = time.time() + 600
        assert not CachedRead(later, later, {}).is_fresh()

    @pytest.mark.parametrize(
        "error",
        [
            RunsAPIError("no", code="CONFLICT", status=409, details={"errors": []}, retry_after=3),
            NetworkError("gone", sent=False, timed_out=True),
            InvalidResponse("<html>"),
        ],
    )
    def test_another_process_gets_the_same_failure(self, error: RunsAPIError) -> None:
        error.diagnosis = "It is another server."

        def fail() -> dict[str, str]:
            raise error

        ReadCache().read("x", 0, fail)
        with pytest.raises(type(error)) as caught:
            _ = ReadCache().read("x", 0, dict).data
        assert vars(caught.value) == vars(error)
        assert str(caught.value) == str(error)

    @pytest.mark.parametrize("both_layers", [False, True])
    def test_stored_pickle_is_not_executed(self, tmp_path: Path, *, both_layers: bool) -> None:
        """A pickle that an attacker writes into the table is ignored as an unknown value."""
        ReadCache().read("x", 0, lambda: {"a": "b"})
        planted: object = _Executed(tmp_path / "executed")
        if both_layers:  # as an older version of this product stored reads
            planted = pickle.dumps(planted)
        value = base64.b64encode(pickle.dumps(planted)).decode()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE shared_reads SET value = %s", [value])
            assert cursor.rowcount
        assert ReadCache().read("x", 0, lambda: {"a": "asked"}).data == {"a": "asked"}
        assert not (tmp_path / "executed").exists()

    @pytest.mark.parametrize("odd", [None, 5, "[]", "{}", '{"asked_at": 1, "answered_at": []}'])
    def test_malformed_stored_value_is_ignored(self, odd: object) -> None:
        assert CachedRead.from_json(odd) is None

    def test_cache_backend_fulfils_djangos_cache_interface(self) -> None:
        assert cache.add("a", {"b": [1, None]}, 60)
        assert not cache.add("a", "other", 60)
        assert cache.get("a") == {"b": [1, None]}
        cache.set("a", 2, -1)
        assert cache.get("a", "none") == "none"
        assert cache.add("a", 3)
        assert cache.touch("a", 60)
        assert cache.get_many(["a", "absent"]) == {"a": 3}
        assert cache.delete("a")
        assert not cache.touch("a", 60)
        for number in range(1_100):
            cache.set(f"k{number}", number, None)
        with connection.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM shared_reads")
            assert cursor.fetchone()[0] <= 1_001

    def test_what_nobody_has_read_for_long_leaves_the_memory(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Data(dict[str, str]):
            """A dict to which a weak reference can be made."""

        monkeypatch.setattr("workorders.runs_api.read_cache.KEPT_SECONDS", -1)
        shared, data = ReadCache(), [Data(a="b")]
        held = weakref.ref(data[0])
        shared.read("x", 0, data.pop)
        assert held()
        shared.read("y", 0, dict)
        assert not held()

    def test_large_parts_of_logs_stay_out_of_the_database(self) -> None:
        first, large = ReadCache(), {"text": "x" * 200_000}
        first.read("log", 0, lambda: large)
        first.read("run", 0, dict)
        assert first.read("log", 0, dict).data == large, "its own process has it still"
        assert ReadCache().read("log", 0, lambda: {"text": "anew"}).data == {"text": "anew"}

    def test_read_does_not_wait_for_another_process(self) -> None:
        def ask() -> dict[str, str]:
            with pytest.raises(NotModified):
                ReadCache().read("x", 0, dict)
            return {"a": "b"}

        assert ReadCache().read("x", 0, ask).data == {"a": "b"}

    @pytest.mark.parametrize(
        "error",
        [
            RunsAPIError("words", code="NOT_FOUND", status=404, request_id="r-1"),
            NetworkError("gone", sent=False),
        ],
    )
    def test_error_is_the_same_in_other_processes(self, error: RunsAPIError) -> None:
        def ask() -> dict[str, str]:
            raise error

        first = ReadCache()
        first.read("x", 0, ask)
        raised: list[RunsAPIError] = []
        for cache_of_a_process in (first, first, ReadCache()):
            with pytest.raises(type(error)) as caught:
                _ = cache_of_a_process.read("x", 0, ask).data
            raised.append(caught.value)
        assert {str(it): vars(it) for it in raised} == {str(error): vars(error)}
        assert len(set(map(id, raised))) == 3, "threads must not share one traceback"

    def test_process_that_died_while_reading_is_not_waited_for(self, settings: Settings) -> None:
        """The process is killed, so it does not remove its marker of a read in progress."""
        settings.RUNS_API_READ_TIMEOUT = -1  # the marker expires at once

        def ask() -> dict[str, str]:
            raise SystemExit

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cache, "delete", lambda _: None)
            with pytest.raises(SystemExit):
                ReadCache().read("x", 0, ask)
        assert ReadCache().read("x", 0, lambda: {"a": "b"}).data == {"a": "b"}


class _Nowhere:
    """A cache that stores nothing."""

    def get(self, key: str) -> None: ...

    def add(self, *_: object) -> bool:
        return True

    def set(self, *_: object) -> None: ...

    def delete(self, key: str) -> None: ...
