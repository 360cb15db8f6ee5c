"""What people and programs are told while the database cannot be used, and that a start which
meets such a moment still starts one run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from tests.embedded.conftest import Api
from tests.support.trigger_form import TriggerForm
from workorders.embedded.models import Run, WorkOrder
from workorders.error_table import ERROR_TABLE
from workorders.runs_api.clients import default_client

BUSY = ERROR_TABLE["SERVER_BUSY"].message.removesuffix(" in a moment.") + " in 2 seconds."


@pytest.fixture(autouse=True)
def _client_with_the_key() -> Iterator[None]:
    default_client.cache_clear()
    yield
    default_client.cache_clear()


@contextmanager
def no_database(sql_part: str = "") -> Iterator[None]:
    """Queries with this in them fail."""

    def fail(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if sql_part in sql:
            raise OperationalError("the connection is lost")
        return execute(sql, *arguments)

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/work-orders/wo-1", "/runs/run-1/"])
@pytest.mark.parametrize("htmx", [True, False])
def test_pages_say_it_in_words(
    operator: Client, path: str, *, htmx: bool, caplog: pytest.LogCaptureFixture
) -> None:
    operator.raise_request_exception = False
    headers = {"HX-Request": "true"} if htmx else {}
    with no_database():
        page = operator.get(path, headers=headers, follow=True)
    if path != "/sign-in/":  # which needs no database to be shown
        assert page.status_code == 503
        assert page.headers["Retry-After"] == "2"
        assert "The database cannot be used right now" in page.content.decode()
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("path", ["/work-orders", "/runs", "/queue/health"])
def test_the_api_says_503(api: Api, path: str) -> None:
    with no_database():
        answer = api.get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.json()["error"]["code"] == "SERVER_BUSY"


def test_an_outage_is_logged_once(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with no_database():
        for _ in range(5):
            api.get("/runs")
    told = [record for record in caplog.records if "cannot be used" in record.getMessage()]
    assert len(told) <= 1
    assert not any(record.exc_info for record in caplog.records)


def test_a_start_that_was_not_made_says_so(
    form: TriggerForm, make_work_order: Callable[..., WorkOrder]
) -> None:
    form.work_order_id = make_work_order().pk
    with no_database('INSERT INTO "embedded_run"'):
        refused = form.send(max_iterations="4")
    assert BUSY in refused.html
    assert 'value="4"' in refused.html
    assert not Run.objects.exists()
    form.send(max_iterations="4")
    assert Run.objects.get().max_iterations == 4


@pytest.mark.django_db(transaction=True)
def test_a_start_whose_commit_was_not_confirmed_is_one_start(
    form: TriggerForm,
    make_work_order: Callable[..., WorkOrder],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was committed, or it was not: the API does not know, and the dashboard finds out."""
    form.work_order_id = make_work_order().pk
    commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]
    lost: list[BaseDatabaseWrapper] = []

    def commit_and_lose(self: BaseDatabaseWrapper) -> None:
        holds_run = not lost and Run.objects.exists()  # asked inside of the transaction
        commit(self)
        if holds_run:
            lost.append(self)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit_and_lose)
    sent = form.send()
    assert lost
    assert f"/runs/{Run.objects.get().pk}" in sent.location
