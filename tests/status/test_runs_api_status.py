"""What people see when the runs API is down, slow or the wrong server: banner, panel, pages."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.page_text import PAGES, show, text_of
from tests.support.runs_api import RunsAPI
from workorders.runs_api.clients import default_client
from workorders.runs_api.probe import probe_once

LOST = "The runs API has not answered since"


@pytest.fixture
def lost(runs_api: RunsAPI) -> RunsAPI:
    """The probe has found the runs API lost. The server listens, so a test can set replies."""
    runs_api.on("GET", "/work-orders", api.answer(200, b"<html>", "text/html"))
    probe_once(default_client())
    return runs_api


def banner(client: Client, status: int = 200, shown: str = "") -> str:
    return text_of(show(client, f"/runs-api/banner/?shown={shown}", status, htmx=True))


# --- Banner


def test_banner_is_on_every_page(lost: RunsAPI, operator: Client) -> None:
    for path, status in (*((path, 503) for path in PAGES[:1]), ("/runs-api/", 200), ("/no", 404)):
        html = show(operator, path, status)
        assert LOST in text_of(html)
        assert 'href="/runs-api/"' in html


def test_banner_is_hidden_from_anonymous_users(lost: RunsAPI, client: Client) -> None:
    html = show(client, "/sign-in/")
    assert LOST not in html
    assert "/runs-api/" not in html
    response = client.get("/runs-api/banner/")
    assert response.status_code == 302


def test_banner_is_absent_while_the_api_is_well(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    assert LOST not in show(operator, "/work-orders/")
    assert banner(operator, 204) == ""


def test_unchanged_banner_is_not_sent_again(lost: RunsAPI, operator: Client) -> None:
    first = show(operator, "/runs-api/banner/", htmx=True)
    shown = first.partition('name="shown" value="')[2].partition('"')[0]
    assert shown
    assert banner(operator, 204, shown) == ""


def test_banner_disappears_when_the_api_is_back(lost: RunsAPI, operator: Client) -> None:
    lost.on("GET", "/work-orders", api.items())
    probe_once(default_client())
    assert banner(operator, shown="LOST") == ""


def test_banner_shows_that_the_key_is_refused(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", api.refusal(401, "UNAUTHORIZED"))
    probe_once(default_client())
    assert "has not accepted this dashboard's key since" in banner(operator)


# --- Panel


def test_panel_shows_that_the_api_is_well(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/health", api.data({"status": "ok", "version": "4.5.6"}))
    text = text_of(show(operator, "/runs-api/"))
    assert runs_api.url in text
    assert "Answers, since" in text
    assert "4.5.6" in text
    assert "Time for an answer 30 s" in text


def test_panel_shows_what_is_wrong(lost: RunsAPI, operator: Client) -> None:
    text = text_of(show(operator, "/runs-api/"))
    assert "an HTML page (HTTP 200) answers there, not a runs API" in text
    assert "Does not answer, since" in text


def test_panel_does_not_call_a_lost_api(lost: RunsAPI, operator: Client) -> None:
    lost.asked.clear()
    show(operator, "/runs-api/")
    assert lost.asked == []


def test_panel_names_the_embedded_api(operator: Client) -> None:
    text = text_of(show(operator, "/runs-api/"))
    assert "None: the runs API that ships with this dashboard is used" in text
    assert "Answers, since" in text


def test_panel_hides_credentials(runs_api: RunsAPI, operator: Client, settings: Settings) -> None:
    settings.RUNS_API_URL = runs_api.url.replace("http://", "http://someone:secret@")
    html = show(operator, "/runs-api/")
    assert runs_api.url in html
    assert "secret" not in html


# --- Pages that cannot be shown


@pytest.mark.parametrize("path", PAGES)
def test_page_that_cannot_be_shown_gives_the_reason(
    runs_api: RunsAPI, operator: Client, path: str
) -> None:
    runs_api.go_away()
    html = show(operator, path, 503)
    assert "nothing listens there: the connection was refused" in html
    assert 'href="/runs-api/"' in html


@pytest.mark.parametrize("path", PAGES)
def test_wrong_server_is_named_on_the_page(runs_api: RunsAPI, operator: Client, path: str) -> None:
    for name in ("/work-orders", "/work-orders/wo-1", "/runs/run-1", "/runs"):
        runs_api.on("GET", name, api.answer(200, b"<html>", "text/html"))
    assert "an HTML page (HTTP 200) answers there" in show(operator, path, 503)


@pytest.mark.parametrize("path", PAGES)
def test_page_that_cannot_be_shown_reloads_itself(
    runs_api: RunsAPI, operator: Client, path: str
) -> None:
    runs_api.go_away()
    html = show(operator, f"{path}?page=2", 503)
    assert f'hx-get="{path}?page=2"' in html
    assert "data-waiting" in html


def test_failed_refresh_names_the_runs_api_as_the_cause(
    runs_api: RunsAPI, operator: Client
) -> None:
    runs_api.go_away()
    response = operator.get("/work-orders/", headers={"HX-Request": "true"})
    assert response["HX-Trigger"] == "runs-api-fails"


@pytest.mark.parametrize(
    ("isolated", "not_isolated", "words"),
    [
        (2, 0, "Agents and verifications Isolated from the machine of their worker Time"),
        (
            0,
            2,
            "Not isolated from the machine of their worker: bubblewrap is not installed",
        ),
        (2, 1, "Isolated by 2 of 3 workers, not by the other: bubblewrap is not installed"),
    ],
)
def test_panel_shows_whether_agents_are_isolated(
    runs_api: RunsAPI, operator: Client, isolated: int, not_isolated: int, words: str
) -> None:
    reasons = ["bubblewrap is not installed"] if not_isolated else []
    isolation = {"isolated": isolated, "notIsolated": not_isolated, "reasons": reasons}
    runs_api.on("GET", "/queue/health", api.data({"isolation": isolation}))
    assert words in text_of(show(operator, "/runs-api/"))


@pytest.mark.parametrize("data", [{}, {"isolation": {}}, {"isolation": {"isolated": "2"}}])
def test_panel_omits_isolation_when_the_api_does_not_report_it(
    runs_api: RunsAPI, operator: Client, data: dict[str, object]
) -> None:
    runs_api.on("GET", "/queue/health", api.data(data))
    assert "Agents and verifications" not in show(operator, "/runs-api/")
