"""The health record of the runs API: diagnosis, suspicion, loss and return."""

import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.runs_api import RunsAPI
from workorders.errors import RunsAPIError
from workorders.runs_api.clients import default_client
from workorders.runs_api.health import Health, State
from workorders.runs_api.probe import probe_once

CERTIFICATE = Path(__file__).parents[1] / "data" / "self_signed.pem"
LIST = ("GET", "/work-orders")

PointAt = Callable[[str], None]


@pytest.fixture
def point_at(settings: Settings) -> Iterator[PointAt]:
    """A function that sets ``RUNS_API_URL``."""

    def point_at(url: str) -> None:
        settings.RUNS_API_URL = url
        default_client.cache_clear()

    yield point_at
    default_client.cache_clear()


def probed() -> Health:
    """The health record after one probe."""
    probe_once(default_client())
    return default_client().record.health


def fail_to_get_run() -> None:
    with pytest.raises(RunsAPIError):
        default_client().get_run("run-1")


# --- Diagnosis: what responds at the address


HTML = b"<!doctype html><title>It works</title>"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (api.answer(200, HTML, "text/html"), "an HTML page (HTTP 200) answers there"),
        (api.answer(404, HTML, "text/html"), "an HTML page (HTTP 404) answers there"),
        (api.answer(404, b"not found", "text/plain"), "the server there knows no /api/v1"),
        (api.answer(200, b'{"items": []}'), "JSON that is not a runs API's (HTTP 200)"),
        (api.answer(404, b'{"detail": "Not Found"}'), "the server there knows no /api/v1"),
        (api.answer(200, b"OK", "text/plain"), "something answers there that is not a runs API"),
        (
            api.answer(302, b"", Location="https://me:pw@sso.example/in?code=1"),
            "the server there sends on to https://sso.example/in (HTTP 302)",
        ),
        (
            api.answer(302, b"", Location="http://[bad"),
            "the server there sends on to an address that is none (HTTP 302)",
        ),
        (api.answer(502, HTML, "text/html"), "cannot reach the runs API behind it (HTTP 502)"),
        (api.refusal(503, "SERVICE_UNAVAILABLE"), "cannot reach the runs API behind it (HTTP 503)"),
        (api.reset, "the server there gave no answer: "),
    ],
)
def test_wrong_server_is_named(runs_api: RunsAPI, reply: api.Reply, words: str) -> None:
    runs_api.on(*LIST, reply)
    health = probed()
    assert health.is_lost
    assert health.diagnosis.startswith(f"RUNS_API_URL is {runs_api.url}, and ")
    assert words in health.diagnosis


@pytest.mark.parametrize(
    "reply",
    [
        api.refusal(401, "UNAUTHORIZED"),
        api.refusal(403, "FORBIDDEN"),
        api.answer(401, HTML, "text/html"),
        api.answer(403, b"no", "text/plain"),
    ],
)
def test_refused_key_is_named(runs_api: RunsAPI, reply: api.Reply) -> None:
    runs_api.on(*LIST, reply)
    health = probed()
    assert health.state is State.KEY_REFUSED
    assert "does not accept RUNS_API_KEY" in health.diagnosis
    assert health.last_answer


def test_silence_is_named(runs_api: RunsAPI, impatient: None) -> None:
    runs_api.on(*LIST, api.silence)
    assert "did not answer in time" in probed().diagnosis


# --- Diagnosis: no connection


def test_refused_connection_is_named(runs_api: RunsAPI) -> None:
    runs_api.go_away()
    assert "nothing listens there: the connection was refused" in probed().diagnosis


def test_name_that_does_not_resolve_is_named(point_at: PointAt) -> None:
    point_at("http://no.such.host.invalid")
    assert "the name no.such.host.invalid cannot be resolved" in probed().diagnosis


def test_connection_time_out_is_named(point_at: PointAt, settings: Settings) -> None:
    settings.RUNS_API_CONNECT_TIMEOUT = 0.2
    with ExitStack() as opened:
        server = opened.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):  # the server accepts none, so its backlog is full
            waiting = opened.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(server.getsockname())
        point_at(f"http://127.0.0.1:{server.getsockname()[1]}")
        assert "there was no connection within 0.2 s" in probed().diagnosis


def test_untrusted_certificate_is_named(point_at: PointAt) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    with api.serve(tls=tls) as server:
        point_at(server.url.replace("http://", "https://"))
        assert "its TLS certificate is not accepted: self-signed" in probed().diagnosis


def test_plain_http_behind_https_is_named(runs_api: RunsAPI, point_at: PointAt) -> None:
    point_at(runs_api.url.replace("http://", "https://"))
    assert "does not speak TLS" in probed().diagnosis


def test_credentials_in_the_address_stay_secret(
    runs_api: RunsAPI, point_at: PointAt, caplog: pytest.LogCaptureFixture
) -> None:
    point_at(runs_api.url.replace("http://", "http://someone:secret@"))
    runs_api.go_away()
    assert probed().diagnosis.startswith(f"RUNS_API_URL is {runs_api.url}, and ")
    assert "secret" not in caplog.text


# --- Suspicion and loss


def test_failure_of_one_endpoint_is_not_a_loss(runs_api: RunsAPI) -> None:
    runs_api.on(*LIST, api.items())
    runs_api.on("GET", "/runs/run-1", api.reset)
    fail_to_get_run()
    assert probed().is_well


def test_any_response_clears_a_suspicion(runs_api: RunsAPI) -> None:
    runs_api.on("GET", "/runs/run-1", api.reset)
    runs_api.has()
    fail_to_get_run()
    default_client().get_work_order("wo-1")
    default_client().record.confirm_suspicion()
    assert default_client().record.health.is_well


def test_refused_connection_is_a_loss_at_once(runs_api: RunsAPI) -> None:
    runs_api.go_away()
    fail_to_get_run()
    assert default_client().record.health.is_lost


@pytest.mark.parametrize(
    "reply",
    [
        api.refusal(404, "NOT_FOUND"),
        api.refusal(429, "RATE_LIMITED"),
        api.refusal(500, "INTERNAL_ERROR"),
        api.refusal(503, "CAPACITY_EXCEEDED"),
    ],
)
def test_refusal_shows_that_the_api_is_well(runs_api: RunsAPI, reply: api.Reply) -> None:
    runs_api.on(*LIST, reply)
    assert probed().is_well


def test_key_without_write_access_is_not_a_refused_key(runs_api: RunsAPI) -> None:
    runs_api.on("POST", "/work-orders", api.refusal(403, "FORBIDDEN"))
    with pytest.raises(RunsAPIError):
        default_client().create_work_order(prompt="Fix it", workspace="/")
    assert default_client().record.health.is_well


def test_lost_api_keeps_last_answer_and_since(runs_api: RunsAPI) -> None:
    runs_api.on(*LIST, api.items())
    last_answer = probed().last_answer
    runs_api.go_away()
    lost = probed()
    again = probed()
    assert lost.last_answer == again.last_answer == last_answer
    assert lost.since == again.since


def test_request_that_is_not_sent_leaves_the_health_unchanged(runs_api: RunsAPI) -> None:
    with pytest.raises(RunsAPIError):
        default_client().get_run("x" * 100_000)
    assert default_client().record.health == Health()
    assert default_client().record.accepts_queueing


# --- The log


def test_loss_and_return_are_logged_once(
    runs_api: RunsAPI, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    runs_api.on(*LIST, api.answer(200, HTML, "text/html"))
    for _ in range(3):
        probe_once(default_client())
    runs_api.on(*LIST, api.items())
    for _ in range(3):
        probe_once(default_client())
    logged = [r for r in caplog.records if r.name == "workorders.runs_api.health"]
    assert [record.levelname for record in logged] == ["WARNING", "INFO"]
    assert "an HTML page (HTTP 200) answers there" in logged[0].message
    assert "can be used again, after" in logged[1].message


def test_calls_to_a_lost_api_are_not_logged_one_by_one(
    runs_api: RunsAPI, caplog: pytest.LogCaptureFixture
) -> None:
    runs_api.go_away()
    fail_to_get_run()
    caplog.set_level(logging.INFO)
    caplog.clear()
    fail_to_get_run()
    assert caplog.records == []


# --- Restart


def test_api_restarted_between_two_calls_is_not_taken_for_lost(runs_api: RunsAPI) -> None:
    """The kept-alive connection is broken, which does not mean that the API is down."""
    runs_api.has()
    default_client().get_work_order("wo-1")
    runs_api.go_away()
    with api.serve(runs_api.port) as restarted:
        restarted.has(status="running")
        assert default_client().get_work_order("wo-1").status == "running"
    assert default_client().record.health.is_well
