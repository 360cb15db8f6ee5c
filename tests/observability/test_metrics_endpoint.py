"""``/metrics``: who may read it, and in which formats."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from pytest_django import Settings

from dashboard import env
from tests.support.runs_api import API_KEY, RunsAPI
from tests.support.scraped import AUTHORIZED, TOKEN, scrape
from tests.support.trigger_form import TriggerForm


def test_endpoint_does_not_exist_without_a_token(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    for headers in ({}, {"Authorization": "Bearer "}, AUTHORIZED):
        assert client.get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", f"Bearer é{TOKEN}", TOKEN, f"Basic {TOKEN}"],
)
def test_wrong_token_is_unauthorized(client: Client, given: str) -> None:
    response = client.get("/metrics", headers={"Authorization": given})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.content == b""


def test_session_does_not_replace_the_token(operator: Client) -> None:
    assert operator.get("/metrics").status_code == 401


def test_scraper_is_allowed_by_ip_over_plain_http(
    client: Client, db: None, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["dashboard.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/metrics", headers=AUTHORIZED | {"Host": "10.0.0.7:8000"})
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response["Cache-Control"] == "no-store"
    assert not response.cookies


def test_authorization_scheme_is_case_insensitive(client: Client, db: None) -> None:
    """RFC 9110, section 11.1."""
    headers = {"Authorization": f"bearer {TOKEN}"}
    assert client.get("/metrics", headers=headers).status_code == 200


def test_only_reading_is_allowed(client: Client) -> None:
    assert client.post("/metrics", headers=AUTHORIZED).status_code == 405


def test_open_metrics_is_sent_when_accepted(client: Client, db: None) -> None:
    accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
    response = client.get("/metrics", headers=AUTHORIZED | accept)
    assert response["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = text_string_to_metric_families(response.content.decode())  # type: ignore[no-untyped-call]
    assert "run_dashboard_triggers" in {family.name for family in families}


def test_metrics_contain_nothing_private(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.has(id="wo-private", taskPrompt="Fix the private thing")
    form.work_order_id = "wo-private"
    form.client.get("/work-orders/wo-private/?q=private")
    form.send()
    text = scrape().text
    for private in (API_KEY, TOKEN, "private", "operator", form.key):
        assert private not in text


@pytest.mark.parametrize("value", ["short", "1234567", "not-ascii-é"])
def test_malformed_token_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("METRICS_TOKEN", value)
    with pytest.raises(ImproperlyConfigured, match="METRICS_TOKEN must be") as raised:
        env.token("METRICS_TOKEN")
    assert value not in str(raised.value)


@pytest.mark.parametrize("value", ["", "12345678"])
def test_token_may_be_absent_or_have_eight_characters(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("METRICS_TOKEN", value)
    assert env.token("METRICS_TOKEN") == value
