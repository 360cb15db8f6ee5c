"""The embedded API called within the request of a page, without effects on that request."""

from pathlib import Path

import pytest
from django.core.signals import request_finished, request_started
from django.db import connection
from django.urls import get_script_prefix, get_urlconf, set_script_prefix, set_urlconf
from pytest_django import Settings

from tests.embedded.conftest import Api
from workorders.embedded.models import WorkOrder


def test_script_prefix_and_urlconf_of_the_page_are_kept(api: Api) -> None:
    set_script_prefix("/mounted/")
    set_urlconf("workorders.urls")
    try:
        assert api.get("/health").status_code == 200
        assert get_script_prefix() == "/mounted/"
        assert get_urlconf() == "workorders.urls"
    finally:
        set_script_prefix("/")
        set_urlconf(None)


def test_browser_middleware_does_not_apply(api: Api, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["runs.example.com"]
    response = api.post("/work-orders", {})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "BAD_REQUEST"
    assert "Set-Cookie" not in response.headers


def test_call_sends_no_request_signals(api: Api) -> None:
    received: list[object] = []

    def listen(sender: object, **_: object) -> None:
        received.append(sender)

    for signal in (request_started, request_finished):
        signal.connect(listen)
    try:
        api.get("/health")
    finally:
        for signal in (request_started, request_finished):
            signal.disconnect(listen)
    assert received == []


@pytest.mark.django_db(transaction=True)
def test_database_connection_of_the_page_stays_open(
    installation: Path, work_order: WorkOrder
) -> None:
    before = connection.connection
    assert Api("the-key").get("/work-orders").status_code == 200
    assert connection.connection is before
