"""What all responses have in common: envelope, API key, request ID, refusals."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from tests.embedded.conftest import Api
from workorders.embedded.models import WorkOrder
from workorders.runs_api.clients import default_client


def test_success_has_data_and_request_id(api: Api) -> None:
    response = api.get("/profiles")
    body = response.json()
    assert body["success"] is True
    assert body["data"]["total"] == 2
    assert body["requestId"] == response.headers["x-request-id"]


def test_request_id_is_twelve_url_safe_characters(api: Api) -> None:
    request_id = api.get("/health").json()["requestId"]
    assert len(request_id) == 12
    assert request_id.replace("-", "").replace("_", "").isalnum()


def test_request_id_of_the_caller_is_kept(api: Api) -> None:
    response = api.get("/health", headers={"X-Request-ID": "from-the_caller"})
    assert response.json()["requestId"] == "from-the_caller"


def test_request_id_of_the_page_is_used_in_process(operator: Client, work_order: WorkOrder) -> None:
    """The embedded API, called in the process of a page, uses the request ID of the page."""
    default_client.cache_clear()
    sent = {"key": str(uuid.uuid4()), "profile_name": "nobody"}
    response = operator.post(f"/work-orders/{work_order.pk}/trigger/", sent)
    assert f"request {response['X-Request-ID']}" in response.content.decode()
    default_client.cache_clear()


def test_request_id_is_the_same_in_header_and_body(client: Client, db: None) -> None:
    response = client.get("/api/v1/health")
    assert response.json()["requestId"] == response["X-Request-ID"]


def test_request_id_of_a_caller_over_http_is_kept(client: Client, db: None) -> None:
    response = client.get("/api/v1/health", headers={"X-Request-ID": "from-a-script"})
    assert response["X-Request-ID"] == response.json()["requestId"] == "from-a-script"


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "a<b"])
def test_malformed_request_id_is_replaced(api: Api, given: str) -> None:
    response = api.get("/health", headers={"X-Request-ID": given})
    assert response.json()["requestId"] != given


@pytest.mark.parametrize(
    "path", ["/work-orders", "/runs", "/profiles", "/queue/health", "/openapi.json", "/nope"]
)
def test_request_without_a_key_is_unauthorized(api: Api, path: str) -> None:
    del api.http.headers["Authorization"]
    response = api.get(path)
    assert response.status_code == 401
    assert response.json()["error"] == {
        "code": "UNAUTHORIZED",
        "message": "Authorization header required",
    }


@pytest.mark.parametrize("value", ["Bearer wrong", "Bearer ", "Bearer", "the-key", "Basic the-key"])
def test_wrong_key_is_refused(api: Api, value: str) -> None:
    response = api.get("/work-orders", headers={"Authorization": value})
    assert response.status_code == 401
    assert response.json()["error"]["message"] == "Invalid API key"


def test_empty_key_is_refused(api: Api, settings: Settings) -> None:
    settings.RUNS_API_KEY = ""
    assert api.get("/work-orders", headers={"Authorization": "Bearer "}).status_code == 401


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
def test_health_needs_no_key(api: Api, path: str) -> None:
    del api.http.headers["Authorization"]
    assert api.get(path).status_code == 200


def test_api_is_not_ready_without_its_tables(api: Api) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE embedded_workorder RENAME TO elsewhere")
    assert api.get("/health/ready").status_code == 503


def test_unknown_route_is_not_found(api: Api) -> None:
    response = api.get("/nope")
    assert response.status_code == 404
    assert response.json()["error"]["message"] == "Route GET /api/v1/nope not found"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/profiles"),
        ("PUT", "/profiles/careful"),
        ("DELETE", "/runs"),
        ("OPTIONS", "/runs"),
    ],
)
def test_wrong_method_is_refused_with_the_allowed_ones(api: Api, method: str, path: str) -> None:
    response = api.http.request(method, path)
    assert response.status_code == 405
    assert response.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
    assert response.headers["Allow"] == "GET, HEAD"


def test_internal_error_reveals_no_details(api: Api, settings: Settings) -> None:
    settings.PROFILES_FILE.write_text("a secret [ that is no TOML")
    response = api.get("/profiles")
    assert response.status_code == 500
    assert response.json()["error"] == {
        "code": "INTERNAL_ERROR",
        "message": "Internal server error",
    }


@pytest.mark.parametrize(
    "content", [b"{", b"\xff", b"[" * 100_000, b'{"a": NaN}', b"1" * 5_000, b"'x'"]
)
def test_body_that_is_not_json_is_refused(api: Api, content: bytes) -> None:
    response = api.http.post("/work-orders", content=content)
    assert response.status_code == 400
    assert response.json()["error"] == {
        "code": "BAD_REQUEST",
        "message": "Body is not valid JSON but content-type is set to 'application/json'",
    }


@pytest.mark.parametrize("body", [[], "text", 5, True])
def test_body_that_is_not_an_object_is_refused(api: Api, body: Any) -> None:
    response = api.post("/work-orders", body)
    assert response.status_code == 400
    assert response.json()["error"]["details"]["errors"][0]["path"] == []


def test_too_large_body_is_refused(api: Api) -> None:
    response = api.http.post("/work-orders", content=b" " * 3_000_000)
    assert response.status_code == 400
    assert response.json()["error"]["message"] == "Request body is too large"
