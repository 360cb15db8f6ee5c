"""Responses while the database cannot be used, and starts during such an outage: one run each."""

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
    """Let queries fail that contain ``sql_part``; all queries by default."""

    def fail(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        if sql_part in sql:
            raise OperationalError("the connection is lost")
        return execute(sql, *arguments)

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/work-orders/wo-1", "/runs/run-1/"])
@pytest.mark.parametrize("htmx", [True, False])
def test_pages_show_that_the_database_cannot_be_used(
    operator: Client, path: str, *, htmx: bool, caplog: pytest.LogCaptureFixture
) -> None:
    operator.raise_request_exception = False
    headers = {"HX-Request": "true"} if htmx else {}
    with no_database():
        page = operator.get(path, headers=headers, follow=True)
    if path != "/sign-in/":  # the sign-in page needs no database
        assert page.status_code == 503
        assert page.headers["Retry-After"] == "2"
        assert "The database cannot be used right now" in page.content.decode()
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("path", ["/work-orders", "/runs", "/queue/health"])
def test_api_returns_503(api: Api, path: str) -> None:
    with no_database():
        response = api.get(path)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "2"
    assert response.json()["error"]["code"] == "SERVER_BUSY"


def test_outage_is_logged_once(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with no_database():
        for _ in range(5):
            api.get("/runs")
    logged = [record for record in caplog.records if "cannot be used" in record.getMessage()]
    assert len(logged) <= 1
    assert not any(record.exc_info for record in caplog.records)


def test_failed_start_is_reported_and_can_be_repeated(
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
def test_start_with_an_unconfirmed_commit_makes_one_run(
    form: TriggerForm,
    make_work_order: Callable[..., WorkOrder],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The API does not know whether the commit succeeded; the dashboard finds out."""
    form.work_order_id = make_work_order().pk
    commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]
    lost: list[BaseDatabaseWrapper] = []

    def commit_and_lose(self: BaseDatabaseWrapper) -> None:
        holds_run = not lost and Run.objects.exists()  # queried inside the transaction
        commit(self)
        if holds_run:
            lost.append(self)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(BaseDatabaseWrapper, "_commit", commit_and_lose)
    sent = form.send()
    assert lost
    assert f"/runs/{Run.objects.get().pk}" in sent.location
