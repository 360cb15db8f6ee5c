"""The request ID: in every response, on error pages, and in each call to the runs API."""

import uuid

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.runs_api import Asked, Handler, RunsAPI
from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.client import LOG_PART_BYTES
from workorders.runs_api.clients import default_client

NOT_AN_ID = ["", "two words", "x" * 65, "a<b", "a\tb"]


def id_of(client: Client, path: str, **headers: str) -> str:
    return client.get(path, headers=headers)["X-Request-ID"]


@pytest.mark.parametrize(
    "path",
    [
        *("/work-orders/", "/runs/run-1/log/", "/no-such-page/", "/runs/gone/", "/sign-in/"),
        *("/", "/sign-out/", "/static/js/live.js", "/static/no-such-file", "/api/v1/health"),
    ],
)
def test_every_response_carries_a_request_id(
    runs_api: RunsAPI, operator: Client, path: str
) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    runs_api.on("GET", "/runs/run-1/log", api.data({"text": "", "nextOffset": 0, "size": 0}))
    assert id_of(operator, path)


def test_redirect_to_https_carries_a_request_id(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/work-orders/")
    assert response.status_code == 301
    assert response["X-Request-ID"]


def test_requests_have_different_ids(client: Client, db: None) -> None:
    assert id_of(client, "/sign-in/") != id_of(client, "/sign-in/")


def test_calls_to_the_runs_api_carry_the_request_id(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has()
    runs_api.triggers(api.data({"runId": "run-1"}, 201))
    response = operator.post("/work-orders/wo-1/trigger/", {"key": str(uuid.uuid4())})
    assert runs_api.triggered[0].headers["x-request-id"] == response["X-Request-ID"]
    assert {asked.headers["x-request-id"] for asked in runs_api.asked} == {response["X-Request-ID"]}


def test_request_id_is_stored_with_the_attempt(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has()
    runs_api.triggers(api.refusal(429, "RATE_LIMITED"))
    key = str(uuid.uuid4())
    for _ in range(2):
        response = operator.post("/work-orders/wo-1/trigger/", {"key": key})
        assert TriggerAttempt.objects.get().request_id == response["X-Request-ID"]


def test_command_sends_no_request_id(runs_api: RunsAPI) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    default_client().list_work_orders()
    assert "x-request-id" not in runs_api.asked[0].headers


def test_all_calls_of_a_streamed_response_carry_its_request_id(
    runs_api: RunsAPI, operator: Client
) -> None:
    part = 16 * LOG_PART_BYTES

    def log(handler: Handler, asked: Asked) -> None:
        end = int(asked.query["offset"]) + part
        api.data({"text": "x", "nextOffset": end, "size": 3 * part})(handler, asked)

    runs_api.on("GET", "/runs/run-1/log", log)
    response = operator.get("/runs/run-1/log/")
    assert b"".join(response) == b"xxx"
    asked_with = [asked.headers["x-request-id"] for asked in runs_api.asked]
    assert asked_with == [response["X-Request-ID"]] * 3


@pytest.mark.parametrize("given", ["from-the_proxy", "0af7651916cd43dd8448eb211c80319c"])
def test_id_of_a_trusted_proxy_is_used(
    client: Client, db: None, settings: Settings, given: str
) -> None:
    settings.TRUST_PROXY_HEADERS = True
    assert id_of(client, "/sign-in/", X_Request_ID=given) == given


@pytest.mark.parametrize("given", NOT_AN_ID)
def test_malformed_id_of_a_trusted_proxy_is_replaced(
    client: Client, db: None, settings: Settings, given: str
) -> None:
    settings.TRUST_PROXY_HEADERS = True
    assert id_of(client, "/sign-in/", X_Request_ID=given) not in {"", given}


def test_id_of_an_untrusted_client_is_replaced(client: Client, db: None) -> None:
    assert id_of(client, "/sign-in/", X_Request_ID="from-anybody") != "from-anybody"


def test_missing_page_shows_the_request_id(operator: Client) -> None:
    response = operator.get("/no-such-page/")
    assert f"request {response['X-Request-ID']}" in response.content.decode()


def test_page_of_an_internal_error_shows_the_request_id(
    operator: Client, runs_api: RunsAPI
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE workorders_triggerattempt RENAME TO gone")
    operator.raise_request_exception = False
    response = operator.post("/work-orders/wo-1/trigger/", {"key": str(uuid.uuid4())})
    assert response.status_code == 500
    html = response.content.decode()
    assert f"request {response['X-Request-ID']}" in html
    assert "<h1>Something went wrong</h1>" in html
    assert 'class="brand" href="/work-orders/"' in html
