"""Metrics of requests and refreshes: each is counted once, under labels from a fixed set."""

import pytest
from django.db import connection
from django.test import Client

from tests.support import runs_api as api
from tests.support.page_text import show, version_of
from tests.support.runs_api import RunsAPI
from tests.support.scraped import Meter
from tests.support.trigger_form import HTMX

REQUESTS = "http_request_duration_seconds_count"


def test_request_is_counted_by_the_name_of_its_view(
    runs_api: RunsAPI, operator: Client, meter: Meter
) -> None:
    runs_api.has(id="wo-1")
    runs_api.has(id="wo-2")
    for path in ("/work-orders/wo-1/", "/work-orders/wo-2/", "/work-orders/gone/"):
        operator.get(path)
    labels = {"view": "work_order_detail", "method": "GET"}
    assert meter.gained(REQUESTS, **labels, status="2xx") == 2
    assert meter.gained(REQUESTS, **labels, status="4xx") == 1
    assert meter.gained(REQUESTS) == 3


def test_durations_of_requests_are_summed(
    runs_api: RunsAPI, operator: Client, meter: Meter
) -> None:
    runs_api.has()
    operator.get("/work-orders/wo-1/")
    assert meter.gained("http_request_duration_seconds_sum", view="work_order_detail") > 0


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/no-such-page/", {"view": "other", "method": "GET", "status": "4xx"}),
        ("BREW", "/sign-in/", {"view": "sign_in", "method": "other", "status": "4xx"}),
        ("GET", "/static/none.css", {"view": "static", "method": "GET", "status": "4xx"}),
        ("GET", "/api/v1/runs/run-1", {"view": "api", "method": "GET", "status": "4xx"}),
        ("GET", "/", {"view": "home", "method": "GET", "status": "3xx"}),
    ],
)
def test_labels_come_from_a_fixed_set(
    client: Client, meter: Meter, method: str, path: str, labels: dict[str, str]
) -> None:
    client.generic(method, path)
    assert meter.new_labels(REQUESTS) == [labels]


def test_internal_error_is_counted(operator: Client, meter: Meter) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE workorders_triggerattempt RENAME TO gone")
    operator.raise_request_exception = False
    operator.get("/work-orders/wo-1/attempts/")
    assert meter.new_labels(REQUESTS) == [
        {"view": "attempt_list", "method": "GET", "status": "5xx"}
    ]


def test_monitoring_requests_are_not_counted(client: Client, meter: Meter) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        client.get(path)
    assert meter.gained(REQUESTS) == 0


class TestRefreshes:
    @pytest.fixture(autouse=True)
    def _work_order(self, runs_api: RunsAPI) -> None:
        runs_api.has()

    def refresh(self, operator: Client, version: str) -> None:
        operator.get(f"/work-orders/wo-1/?version={version}", headers=HTMX)

    @pytest.fixture
    def version(self, operator: Client) -> str:
        """The version that a page shows which is open already."""
        return version_of(show(operator, "/work-orders/wo-1/"))

    def results(self, meter: Meter) -> list[dict[str, str]]:
        return meter.new_labels("refreshes_total")

    def test_unchanged_refresh_is_counted(
        self, operator: Client, version: str, meter: Meter
    ) -> None:
        self.refresh(operator, version)
        assert self.results(meter) == [{"view": "work_order_detail", "result": "unchanged"}]

    def test_changed_refresh_is_counted(
        self, operator: Client, version: str, meter: Meter, runs_api: RunsAPI
    ) -> None:
        runs_api.has(status="running")
        self.refresh(operator, version)
        assert self.results(meter) == [{"view": "work_order_detail", "result": "changed"}]

    def test_failed_refresh_is_counted(
        self, operator: Client, version: str, meter: Meter, runs_api: RunsAPI
    ) -> None:
        runs_api.go_away()
        self.refresh(operator, version)
        assert self.results(meter) == [{"view": "work_order_detail", "result": "failed"}]

    def test_refresh_of_a_missing_page_is_counted_as_left(
        self, operator: Client, version: str, meter: Meter, runs_api: RunsAPI
    ) -> None:
        runs_api.on("GET", "/work-orders/wo-1", api.refusal(404, "NOT_FOUND"))
        self.refresh(operator, version)
        assert self.results(meter) == [{"view": "work_order_detail", "result": "left"}]

    def test_refresh_after_signing_out_is_counted_as_left(
        self, operator: Client, version: str, meter: Meter
    ) -> None:
        operator.logout()
        self.refresh(operator, version)
        assert self.results(meter) == [{"view": "work_order_detail", "result": "left"}]

    def test_opened_page_does_not_count_as_a_refresh(self, operator: Client, meter: Meter) -> None:
        operator.get("/work-orders/wo-1/")
        operator.get("/work-orders/wo-1/?version=bookmarked")
        assert self.results(meter) == []
