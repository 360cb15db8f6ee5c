"""Log lines: their content, their format (one line or one JSON object each), and no secrets."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.support import runs_api as api
from tests.support.runs_api import API_KEY, REQUEST_ID, RunsAPI
from tests.support.trigger_form import TriggerForm
from workorders.accounts.sign_in_links import sign_in_path
from workorders.embedded.api_keys import create_key
from workorders.embedded.models import APIKey
from workorders.errors import RunsAPIError
from workorders.observability import request_id
from workorders.observability.log_format import JSONFormatter, TextFormatter
from workorders.runs_api.clients import default_client
from workorders.runs_api.schemas import RunOverrides


class CapturedLog(logging.Handler):
    """Keeps every line as the formatter writes it."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def of(self, logger: str) -> list[dict[str, Any]]:
        return [line for line in self.objects if line["logger"] == logger]


def captured_log(formatter: logging.Formatter) -> Iterator[CapturedLog]:
    handler, root = CapturedLog(formatter), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def log() -> Iterator[CapturedLog]:
    yield from captured_log(JSONFormatter())


@pytest.fixture
def text_log() -> Iterator[CapturedLog]:
    yield from captured_log(TextFormatter())


logger = logging.getLogger("tests.any")


def log_failure(error: Exception, message: str, *arguments: str, **fields: Any) -> None:
    """Log the error with its traceback, as code does that catches an error and continues."""
    try:
        raise error
    except ValueError:
        logger.exception(message, *arguments, **fields)


class TestText:
    def test_line_has_time_level_logger_and_request_id(self, text_log: CapturedLog) -> None:
        with request_id.carried("r-1"):
            logger.warning("Took %d s", 3)
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} WARNING tests\.any \[r-1\]: Took 3 s",
            text_log.lines[0],
        )

    def test_line_outside_of_a_request_has_a_dash_as_request_id(
        self, text_log: CapturedLog
    ) -> None:
        logger.info("Hello")
        assert text_log.lines[0].endswith("INFO tests.any [-]: Hello")

    def test_control_characters_are_escaped(self, text_log: CapturedLog) -> None:
        logger.info("It said %s", "no\n2026-01-01 ERROR faked\x1b[2J\u2028")
        assert text_log.lines[0].endswith(r"It said no\n2026-01-01 ERROR faked\x1b[2J\u2028")

    def test_traceback_follows_the_line(self, text_log: CapturedLog) -> None:
        log_failure(ValueError("broken"), "Failed")
        assert text_log.lines[0].splitlines()[-1] == "ValueError: broken"


class TestJSON:
    def test_line_is_one_object(self, log: CapturedLog) -> None:
        with request_id.carried("r-1"):
            logger.info("Two\nlines", extra={"run_id": "run-1", "status": 200, "request": object()})
        assert "\n" not in log.lines[0]
        line = log.objects[0]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
        assert isinstance(line.pop("process"), int)
        assert line == {
            "level": "INFO",
            "logger": "tests.any",
            "message": "Two\nlines",
            "request_id": "r-1",
            "run_id": "run-1",
            "status": 200,
        }

    def test_exception_is_a_field(self, log: CapturedLog) -> None:
        log_failure(ValueError("broken"), "Failed")
        assert log.objects[0]["exception"].endswith("ValueError: broken")


@pytest.mark.usefixtures("runs_api", "db")
class TestPages:
    def test_each_request_writes_one_line(
        self, log: CapturedLog, operator: Client, runs_api: RunsAPI
    ) -> None:
        runs_api.has()
        response = operator.get("/work-orders/wo-1/?version=x")
        (line,) = log.of("workorders.observability.access_log")
        assert isinstance(line["milliseconds"], int)
        assert line["request_id"] == response["X-Request-ID"]
        assert {name: line[name] for name in ("level", "method", "path", "status", "user")} == {
            "level": "INFO",
            "method": "GET",
            "path": "/work-orders/wo-1/",
            "status": 200,
            "user": "operator",
        }

    def test_anonymous_user_has_an_empty_name(self, log: CapturedLog, client: Client) -> None:
        client.get("/sign-in/")
        assert log.of("workorders.observability.access_log")[0]["user"] == ""

    def test_query_is_not_logged(self, log: CapturedLog, client: Client) -> None:
        client.get("/sign-in/?next=/runs/secret-words/")
        assert "secret-words" not in str(log.lines)

    @pytest.mark.parametrize(
        "path", ["/api/v1/health", "/api/v1/health/ready", "/healthz", "/metrics"]
    )
    def test_health_checks_are_not_logged(
        self, log: CapturedLog, client: Client, path: str
    ) -> None:
        client.get(path)
        assert log.of("workorders.observability.access_log") == []

    def test_static_files_are_not_logged(self, log: CapturedLog, client: Client) -> None:
        client.get("/static/css/base.css")
        assert log.of("workorders.observability.access_log") == []

    def test_all_lines_of_a_request_carry_its_id(self, log: CapturedLog, operator: Client) -> None:
        response = operator.get("/work-orders/gone/")
        loggers = {line["logger"] for line in log.objects}
        assert loggers >= {
            "workorders.observability.access_log",
            "workorders.runs_api.call_recorder",
        }
        assert "django.request" not in loggers  # the access log has the line of this 404
        ours = [line for line in log.objects if not line["logger"].startswith("http")]
        assert {line["request_id"] for line in ours} == {response["X-Request-ID"]}


@pytest.mark.usefixtures("runs_api")
class TestCallsToTheRunsAPI:
    def call(self, log: CapturedLog, *, level: str, **expected: object) -> dict[str, Any]:
        line = log.of("workorders.runs_api.call_recorder")[-1]
        assert {"level": level, **expected} == {
            "level": line["level"],
            **{name: line.get(name) for name in expected},
        }
        return line

    def test_successful_read_is_logged_at_debug(self, log: CapturedLog, runs_api: RunsAPI) -> None:
        runs_api.has()
        default_client().get_work_order("wo-1")
        line = self.call(log, level="DEBUG", method="GET", path="/work-orders/wo-1", status=200)
        assert isinstance(line["milliseconds"], int)

    def test_trigger_is_logged_at_info_with_its_ids(
        self, log: CapturedLog, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        runs_api.has()
        runs_api.triggers(
            api.answer(
                201,
                b'{"success": true, "data": {"runId": "run-2", "workOrderId": "wo-1"}}',
                X_Request_ID="req-7",
            )
        )
        form.send()
        triggers = [
            line for line in log.of("workorders.runs_api.call_recorder") if line["method"] == "POST"
        ]
        assert [line["level"] for line in triggers] == ["INFO"]
        assert (
            triggers[0].items()
            >= {
                "path": "/work-orders/wo-1/runs",
                "status": 201,
                "work_order_id": "wo-1",
                "run_id": "run-2",
                "key": form.key,
                "api_request_id": "req-7",
            }.items()
        )

    def test_refusal_is_logged_at_info_with_its_code(self, log: CapturedLog) -> None:
        with pytest.raises(RunsAPIError, match="Nothing is known"):
            default_client().get_run("gone")
        self.call(log, level="INFO", status=404, code="NOT_FOUND", api_request_id=REQUEST_ID)

    @pytest.mark.parametrize("reply", [api.answer(200, b"<html>"), api.refusal(500, "BROKEN")])
    def test_failure_is_logged_at_warning(
        self, log: CapturedLog, runs_api: RunsAPI, reply: api.Reply
    ) -> None:
        runs_api.on("GET", "/runs/run-1", reply)
        with pytest.raises(RunsAPIError):
            default_client().get_run("run-1")
        self.call(log, level="WARNING", path="/runs/run-1")

    def test_missing_response_is_logged_at_warning(
        self, log: CapturedLog, runs_api: RunsAPI
    ) -> None:
        runs_api.on("GET", "/runs/run-1", api.reset)
        with pytest.raises(RunsAPIError):
            default_client().get_run("run-1")
        line = self.call(log, level="WARNING", status=0)
        assert "no answer" in line["message"]

    def test_reads_of_a_lost_server_are_logged_at_debug_and_starts_at_info(
        self, log: CapturedLog, runs_api: RunsAPI
    ) -> None:
        """The loss was logged once already. A start that fails is logged nevertheless."""
        runs_api.go_away()
        with pytest.raises(RunsAPIError):
            default_client().get_run("run-1")
        self.call(log, level="DEBUG", status=0)
        with pytest.raises(RunsAPIError):
            default_client().trigger_run("wo-1", RunOverrides(), idempotency_key="k")
        self.call(log, level="INFO", status=0)


def test_refused_page_is_logged_without_a_traceback(
    text_log: CapturedLog, runs_api: RunsAPI, viewer: Client
) -> None:
    assert viewer.get("/work-orders/wo-1/trigger/").status_code == 403
    assert viewer.get("/no-such-page/").status_code == 404
    assert "/work-orders/wo-1/trigger/: 403" in str(text_log.lines)
    assert "Traceback" not in str(text_log.lines)


@pytest.mark.usefixtures("runs_api")
class TestSecrets:
    @pytest.fixture(params=["log", "text_log"])
    def any_log(self, request: pytest.FixtureRequest) -> CapturedLog:
        found: CapturedLog = request.getfixturevalue(request.param)
        return found

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
    def test_token_of_a_sign_in_link_is_not_logged(
        self, any_log: CapturedLog, operator_user: User, method: str
    ) -> None:
        link = sign_in_path(operator_user)
        Client().generic(method, link)
        assert any_log.lines
        assert link.strip("/").rpartition("/")[2] not in str(any_log.lines)

    def test_token_of_a_link_redirected_to_https_is_not_logged(
        self, any_log: CapturedLog, operator_user: User, settings: Any
    ) -> None:
        settings.SECURE_SSL_REDIRECT = True
        link = sign_in_path(operator_user)
        Client().get(link)
        assert "/sign-in/[token]" in str(any_log.lines)
        assert link not in str(any_log.lines)

    @pytest.mark.django_db
    def test_named_key_of_the_embedded_api_is_redacted(self, any_log: CapturedLog) -> None:
        key = create_key("nightly", APIKey.Scope.READ)
        log_failure(ValueError(f"in a message: {key}"), "With %s", key, extra={"code": key})
        assert key not in str(any_log.lines)
        assert "[secret]" in str(any_log.lines)

    def test_configured_secrets_are_redacted(self, any_log: CapturedLog, settings: Any) -> None:
        settings.METRICS_TOKEN = "the-token-of-the-scraper"
        for secret in (API_KEY, settings.SECRET_KEY, settings.METRICS_TOKEN):
            log_failure(
                ValueError(f"in a message: {secret}"), "With %s", secret, extra={"code": secret}
            )
            assert secret not in str(any_log.lines)

    def test_key_repeated_by_the_api_is_redacted(
        self, any_log: CapturedLog, runs_api: RunsAPI
    ) -> None:
        runs_api.on("GET", "/runs/run-1", api.refusal(401, API_KEY, f"Not {API_KEY}"))
        with pytest.raises(RunsAPIError, match="Not"):
            default_client().get_run("run-1")
        assert any_log.lines
        assert API_KEY not in str(any_log.lines)
