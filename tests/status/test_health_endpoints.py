"""``/healthz`` and ``/readyz``: what they report, to whom, and while calls to the API hang."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.product import Product, follow_link, wait_until
from tests.support.runs_api import API_KEY, RunsAPI
from workorders.runs_api.clients import default_client
from workorders.runs_api.probe import probe_once

ENDPOINTS = ["/healthz", "/readyz"]


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/readyz")
    return response.status_code, response.json()


# --- Responses


def test_healthz_needs_no_database(client: Client) -> None:
    """Without the ``db`` fixture every query fails."""
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"alive": True})


def test_readyz_of_the_embedded_api_reports_the_database(client: Client, db: None) -> None:
    expected = {"ready": True, "database": "ok", "disk": "ok", "runsApi": "embedded"}
    assert ready(client) == (200, expected)


def test_readyz_reports_that_the_database_is_down(client: Client, db: None) -> None:
    def fail(*arguments: object) -> None:
        raise OperationalError("gone")

    with connection.execute_wrapper(fail):
        status, body = ready(client)
    assert (status, body["ready"], body["database"]) == (503, False, "unreachable")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (api.items(), (200, "ok")),
        (api.reset, (503, "unreachable")),
        (api.refusal(401, "UNAUTHORIZED"), (503, "key refused")),
    ],
)
def test_readyz_reports_the_result_of_the_probe(
    client: Client, db: None, runs_api: RunsAPI, reply: api.Reply, expected: tuple[int, str]
) -> None:
    runs_api.on("GET", "/work-orders", reply)
    probe_once(default_client())
    status, body = ready(client)
    assert (status, body["runsApi"]) == expected
    assert body["ready"] is (status == 200)


def test_readyz_does_not_call_the_runs_api(client: Client, db: None, runs_api: RunsAPI) -> None:
    status, body = ready(client)
    assert (status, body["runsApi"]) == (503, "not asked yet")
    assert runs_api.asked == []


# --- Who may read them


@pytest.mark.parametrize("path", ENDPOINTS)
def test_checks_are_allowed_by_ip_over_plain_http(
    client: Client, db: None, settings: Settings, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["dashboard.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    response = client.get(path, headers={"Host": "10.0.0.7:8000"})
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


@pytest.mark.parametrize("path", ENDPOINTS)
def test_only_reading_is_allowed(client: Client, db: None, path: str) -> None:
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405


# --- Every call to the runs API hangs


@pytest.fixture(scope="module")
def hung() -> Iterator[RunsAPI]:
    with api.serve() as runs_api:
        for path in ("/work-orders", "/work-orders/wo-1", "/runs/run-1"):
            runs_api.on("GET", path, api.hang)
        yield runs_api


@pytest.fixture(scope="module")
def product(hung: RunsAPI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Four threads, of which three may wait for the API, longer than the test takes."""
    variables = {
        "RUNS_API_URL": hung.url,
        "RUNS_API_KEY": API_KEY,
        "RUNS_API_CONNECT_TIMEOUT": "60",
        "RUNS_API_READ_TIMEOUT": "60",
    }
    threads = {"WEB_PROCESSES": "1", "WEB_THREADS": "4"}
    with Product(tmp_path_factory.mktemp("hung"), **variables, **threads) as product:
        yield product


def test_other_pages_respond_while_every_call_hangs(product: Product, hung: RunsAPI) -> None:
    """Without a limit four waiting pages would occupy all threads, and this test would time out."""
    with httpx.Client(base_url=product.url, trust_env=False) as browser:
        link = product.sign_in_link.removeprefix(product.url)
        assert follow_link(browser, link).headers["location"] == "/work-orders/"
        cookies = dict(browser.cookies)

        def open_page(number: int) -> int:
            path = ("/work-orders/", "/work-orders/wo-1/", "/runs/run-1/")[number % 3]
            url = product.url + path
            return httpx.get(url, cookies=cookies, timeout=60, trust_env=False).status_code

        with ThreadPoolExecutor(30) as people:
            opened = [people.submit(open_page, number) for number in range(30)]
            # Three requests wait; all others get status 503 at once.
            wait_until(lambda: sum(page.done() for page in opened) >= 27)
            statuses: dict[str, int] = {}
            for path in ("/healthz", "/readyz", "/runs-api/"):
                statuses[path] = browser.get(path).status_code
            sign_in = httpx.get(f"{product.url}/sign-in/", trust_env=False)
            statuses["/sign-in/"] = sign_in.status_code
            style = re.findall(r'href="(/static/[^"]+css)"', sign_in.text)[0]
            statuses["a style sheet"] = browser.get(style).status_code
            still_waiting = sum(not page.done() for page in opened)
            hung.released.set()
            found = [page.result() for page in opened]
    assert 1 <= still_waiting <= 3
    assert statuses.pop("/readyz") == 503
    assert set(statuses.values()) == {200}
    assert found.count(503) >= 27
