"""The list of work orders: filter, search, pages and empty states."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.support import runs_api as api
from tests.support.page_text import orders, show, text_of
from tests.support.runs_api import RunsAPI


def test_list_shows_work_orders(runs_api: RunsAPI, operator: Client) -> None:
    created = "2026-01-02T10:00:00Z"
    entry = {"id": "wo-1", "taskPrompt": "Fix it", "status": "failed", "runCount": 27}
    runs_api.on("GET", "/work-orders", api.items(entry | {"createdAt": created}))
    html = show(operator, "/work-orders/")
    assert re.search(r'href="/work-orders/wo-1/"[^>]*>Fix it</a>', html)
    assert 'data-status="failed"' in html
    assert 'title="Jan 2, 2026 at 10:00 AM UTC"' in html
    assert "wo-1 failed 27 " in text_of(html)


def test_list_shows_the_age(runs_api: RunsAPI, operator: Client) -> None:
    created = timezone.now() - timedelta(hours=3, minutes=30)
    entry = {"id": "wo-1", "taskPrompt": "Fix it", "createdAt": created.isoformat()}
    runs_api.on("GET", "/work-orders", api.items(entry))
    assert "3 h ago" in text_of(show(operator, "/work-orders/"))


def test_list_filters_by_status(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", api.items(*orders(1)))
    html = show(operator, "/work-orders/?status=failed")
    assert runs_api.asked[0].query["status"] == "failed"
    assert '<option value="failed" selected>' in html


def test_list_ignores_an_unknown_status_filter(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    show(operator, "/work-orders/?status=nope")
    assert "status" not in runs_api.asked[0].query


def test_list_searches_through_the_api(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", api.items(*orders(1)))
    html = show(operator, "/work-orders/?q=%20task%20")
    assert [asked.query["search"] for asked in runs_api.asked] == ["task"]
    assert "Task 0" in html


def without_search(everything: list[dict[str, Any]]) -> api.Reply:
    def reply(handler: api.Handler, asked: api.Asked) -> None:
        limit, offset = int(asked.query["limit"]), int(asked.query.get("offset", 0))
        api.items(*everything[offset : offset + limit], total=len(everything))(handler, asked)

    return reply


def test_list_searches_itself_when_the_api_cannot(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", without_search(orders(150)))
    html = show(operator, "/work-orders/?q=task+149")
    assert re.findall(r'id="work-order-(wo-\d+)"', html) == ["wo-149"]
    assert "cannot search" not in html


def test_list_counts_its_own_matches_when_the_first_page_matches_entirely(
    runs_api: RunsAPI, operator: Client
) -> None:
    other = [{"id": f"other-{number}", "taskPrompt": "Else"} for number in range(100)]
    runs_api.on("GET", "/work-orders", without_search([*orders(25), *other]))
    html = show(operator, "/work-orders/?q=task")
    assert len(re.findall(r'id="work-order-wo', html)) == 20
    assert "Page 1 of 2" in html


def test_list_shows_the_total_of_an_api_that_searches(runs_api: RunsAPI, operator: Client) -> None:
    def searching(handler: api.Handler, asked: api.Asked) -> None:
        total = 45 if "search" in asked.query else 900
        api.items(*orders(20), total=total)(handler, asked)

    runs_api.on("GET", "/work-orders", searching)
    assert "Page 1 of 3" in show(operator, "/work-orders/?q=task")


def test_list_omits_a_total_that_may_not_be_of_the_search(
    runs_api: RunsAPI, operator: Client
) -> None:
    def failing_without_search(handler: api.Handler, asked: api.Asked) -> None:
        reply = api.items(*orders(20), total=45) if "search" in asked.query else api.reset
        reply(handler, asked)

    runs_api.on("GET", "/work-orders", failing_without_search)
    text = text_of(show(operator, "/work-orders/?q=task"))
    assert "Page 1 Older" in text


def test_list_shows_how_far_it_has_searched(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", without_search(orders(1200)))
    html = show(operator, "/work-orders/?q=nothing+like+it")
    assert "Only its newest 1000 work orders were looked through." in html


def test_list_divides_search_results_into_pages(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", without_search([*orders(1, 500), *orders(45)]))
    html = show(operator, "/work-orders/?q=task+&page=2")
    assert "Page 2 of 3" in html


def test_list_links_to_the_pages_before_and_after(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", api.items(*orders(20), total=45))
    html = show(operator, "/work-orders/?page=2&status=failed")
    assert runs_api.asked[0].query["offset"] == "20"
    assert "Page 2 of 3" in html
    assert 'rel="prev" href="?page=1&amp;status=failed"' in html
    assert 'rel="next" href="?page=3&amp;status=failed"' in html


@pytest.mark.parametrize("page", ["abc", "0", "-1", "1.5", "", "9" * 5000, "²"])
def test_list_shows_the_first_page_for_a_malformed_page_number(
    runs_api: RunsAPI, operator: Client, page: str
) -> None:
    runs_api.on("GET", "/work-orders", api.items(*orders(1)))
    show(operator, f"/work-orders/?page={page}")
    assert runs_api.asked[0].query["offset"] == "0"


def test_list_shows_that_a_page_beyond_the_last_is_empty(
    runs_api: RunsAPI, operator: Client
) -> None:
    runs_api.on("GET", "/work-orders", api.items(total=3))
    assert "There is nothing on this page." in show(operator, "/work-orders/?page=9")


def test_list_shows_that_there_are_no_work_orders(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    assert "No work orders yet." in show(operator, "/work-orders/")


@pytest.mark.parametrize("query", ["q=zzz", "status=failed"])
def test_list_shows_that_no_work_order_matches(
    runs_api: RunsAPI, operator: Client, query: str
) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    html = show(operator, f"/work-orders/?{query}")
    assert "No work order matches." in html
    assert "No work orders yet." not in html


def test_list_shows_that_the_api_is_down(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.go_away()
    html = show(operator, "/work-orders/", status=503)
    assert "The runs API has not answered since" in html
    assert "No work orders yet." not in html


def test_list_shows_the_error_of_the_api(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", api.refusal(500, "INTERNAL_ERROR", "No disk left"))
    html = show(operator, "/work-orders/", status=503)
    assert "No disk left · INTERNAL_ERROR · request req-42" in html


def test_list_shows_that_the_address_is_not_a_runs_api(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", api.answer(404, b"<h1>Not found</h1>", "text/html"))
    response = operator.get("/work-orders/")
    assert response.status_code == 503
    assert "did not give an answer that can be shown" in response.content.decode()


@pytest.mark.parametrize(
    ("order", "seconds"),
    [({"status": "queued", "runCount": 1}, 2), ({"status": "queued", "runCount": 0}, 15)],
)
def test_list_refreshes_more_often_while_a_run_waits(
    runs_api: RunsAPI, operator: Client, order: dict[str, Any], seconds: int
) -> None:
    runs_api.on("GET", "/work-orders", api.items({"id": "wo-1", "taskPrompt": "Fix it"} | order))
    assert f'data-live="{seconds}"' in show(operator, "/work-orders/")


def test_list_omits_page_links_beyond_the_last_page(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.on("GET", "/work-orders", api.items(total=1))
    html = show(operator, "/work-orders/?page=9")
    assert "There is nothing on this page." in html
    assert "of 1" not in html
