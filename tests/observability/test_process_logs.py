"""``LOG_FORMAT=json``: web server, worker and supervisor write JSON when the product is started."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.product import Product, cookies_of_link, wait_until
from tests.support.scraped import AUTHORIZED


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    variables = {"LOG_FORMAT": "json", "WEB_PROCESSES": "1", "WORKERS": "1"}
    with Product(tmp_path_factory.mktemp("logs"), **variables) as product:
        yield product


def lines_of(product: Product, name: str) -> list[dict[str, Any]]:
    text = (product.data_dir / "logs" / f"{name}.log").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_web_server_logs_json(product: Product) -> None:
    response = httpx.get(f"{product.url}/work-orders/{uuid.uuid4()}/", trust_env=False)
    expected_id = response.headers["x-request-id"]

    def line() -> dict[str, Any] | None:
        found = [line for line in lines_of(product, "web") if line["request_id"] == expected_id]
        return found[0] if found else None

    wait_until(line)
    assert (line() or {})["status"] == 302


def test_worker_logs_json(product: Product) -> None:
    wait_until(lambda: lines_of(product, "worker-1"))
    messages = [line["message"] for line in lines_of(product, "worker-1")]
    assert "not isolated" in messages[0]  # the tests switch ISOLATION off
    assert any("waits for runs" in message for message in messages)


def test_supervisor_logs_json(product: Product) -> None:
    stderr = (product.data_dir / "serve.stderr").read_text()
    assert stderr
    assert all(isinstance(json.loads(line), dict) for line in stderr.splitlines())


def test_log_files_contain_no_secret(product: Product) -> None:
    cookies_of_link(product.sign_in_link)
    token = product.sign_in_link.rstrip("/").rpartition("/")[2]
    secrets = [
        token,
        *((product.data_dir / name).read_text() for name in ("secret-key", "runs-api-key")),
    ]
    wait_until(lambda: "/sign-in/[token]" in str(lines_of(product, "web")))
    logs = "".join(path.read_text() for path in (product.data_dir / "logs").iterdir())
    assert [secret for secret in secrets if secret in logs] == []


def test_without_a_token_there_are_no_files_of_metrics(product: Product) -> None:
    httpx.get(f"{product.url}/sign-in/", trust_env=False).raise_for_status()
    answer = httpx.get(f"{product.url}/metrics", headers=AUTHORIZED, trust_env=False)
    assert answer.status_code == 404
    assert list((product.data_dir / "metrics").iterdir()) == []
