"""Work orders in the API: creation, lists, search, detail and cancellation."""

import json
from typing import Any

import pytest

from tests.embedded.conftest import Api, Make, MakeRun
from workorders.embedded.models import Status, WorkOrder
from workorders.embedded.transitions import claim_next, finish

GOOD = {
    "taskPrompt": "Fix the login form",
    "workspaceSource": {"type": "local", "path": "/srv/login"},
}


def paths_of_faults(response: Any) -> list[list[str]]:
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "BAD_REQUEST"
    return [fault["path"] for fault in response.json()["error"]["details"]["errors"]]


def test_work_order_can_be_created(api: Api) -> None:
    response = api.post("/work-orders", GOOD | {"profileName": "careful", "maxIterations": 7})
    assert response.status_code == 201
    detail = api.data(f"/work-orders/{response.json()['data']['id']}")
    assert detail["taskPrompt"] == "Fix the login form"
    assert detail["status"] == "queued"
    assert detail["harness"]["profile"] == "careful"
    assert detail["maxIterations"] == 7


def test_five_point_zero_is_an_integer(api: Api) -> None:
    work_order_id = api.post("/work-orders", GOOD | {"maxIterations": 5.0}).json()["data"]["id"]
    assert api.data(f"/work-orders/{work_order_id}")["maxIterations"] == 5


def test_creation_starts_no_run(api: Api) -> None:
    api.post("/work-orders", GOOD)
    assert api.data("/runs")["total"] == 0


def test_ids_never_begin_with_a_hyphen(api: Api) -> None:
    ids = [api.post("/work-orders", GOOD).json()["data"]["id"] for _ in range(70)]
    assert all(len(work_order_id) == 12 and work_order_id[0] != "-" for work_order_id in ids)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"taskPrompt": "short"}, ["taskPrompt"]),
        ({"taskPrompt": "x" * 100_001}, ["taskPrompt"]),
        ({"taskPrompt": "long enough\0"}, ["taskPrompt"]),
        ({"taskPrompt": "long enough \ud800"}, ["taskPrompt"]),
        ({"taskPrompt": 12345678901}, ["taskPrompt"]),
        ({"taskPrompt": None}, ["taskPrompt"]),
        ({"workspaceSource": None}, ["workspaceSource"]),
        ({"workspaceSource": "text"}, ["workspaceSource"]),
        ({"workspaceSource": {"type": "github", "repo": "a/b"}}, ["workspaceSource", "type"]),
        ({"workspaceSource": {"type": "local"}}, ["workspaceSource", "path"]),
        ({"workspaceSource": {"type": "local", "path": "here"}}, ["workspaceSource", "path"]),
        ({"workspaceSource": {"type": "local", "path": ""}}, ["workspaceSource", "path"]),
        ({"workspaceSource": {}}, ["workspaceSource", "type"]),
        ({"workspaceSource": {"type": ""}}, ["workspaceSource", "type"]),
        ({"profileName": "nobody"}, ["profileName"]),
        ({"maxIterations": 0}, ["maxIterations"]),
        ({"maxIterations": 101}, ["maxIterations"]),
        ({"maxIterations": 2.5}, ["maxIterations"]),
        ({"maxIterations": True}, ["maxIterations"]),
        ({"maxIterations": "3"}, ["maxIterations"]),
        ({"maxTime": 86_401}, ["maxTime"]),
    ],
)
def test_creation_names_the_wrong_field(api: Api, changes: dict[str, Any], path: list[str]) -> None:
    response = api.http.post("/work-orders", content=json.dumps(GOOD | changes))
    assert paths_of_faults(response) == [path]
    assert not WorkOrder.objects.exists()


def test_creation_says_in_words_what_is_wrong(api: Api) -> None:
    response = api.post(
        "/work-orders",
        {
            "taskPrompt": "short",
            "workspaceSource": {"type": "local", "path": 5},
            "profileName": "nobody",
            "maxIterations": "3",
            "maxTime": 86_401,
        },
    )
    assert [fault["message"] for fault in response.json()["error"]["details"]["errors"]] == [
        "Task prompt must be at least 10 characters",
        "Expected string, received number",
        "Unknown profile: nobody",
        "Expected integer, received string",
        "Number must be less than or equal to 86400",
    ]


def test_creation_ignores_fields_of_other_servers(api: Api) -> None:
    local = {"type": "local", "path": "/srv/login"}
    recorded = {
        "taskPrompt": "Fix the login form",
        "workspaceSource": local | {"branch": "main"},
        "agentType": "claude-code-subscription",
        "harness": {"loopStrategy": {"maxIterations": 5}},
        "labels": None,
    }
    response = api.post("/work-orders", recorded)
    assert response.status_code == 201, response.text
    assert response.json()["data"]["workspaceSource"] == local


def test_creation_names_all_wrong_fields(api: Api) -> None:
    assert paths_of_faults(api.post("/work-orders", {})) == [["taskPrompt"], ["workspaceSource"]]


def test_list_is_newest_first_and_has_pages(api: Api, make_work_order: Make) -> None:
    ids = [make_work_order().pk for _ in range(5)]
    first = api.data("/work-orders?limit=2")
    second = api.data("/work-orders?limit=2&offset=2")
    last = api.data("/work-orders?limit=2&offset=4")
    listed = [item["id"] for page in (first, second, last) for item in page["items"]]
    assert listed == ids[::-1]
    assert [page["hasMore"] for page in (first, second, last)] == [True, True, False]
    assert first["total"] == 5


def test_offset_beyond_the_end_gives_an_empty_page(api: Api, work_order: WorkOrder) -> None:
    page = api.data("/work-orders?offset=9007199254740991")
    assert page["items"] == []
    assert page["total"] == 1
    assert page["hasMore"] is False


@pytest.mark.parametrize("spelling", ["canceled", "cancelled"])
def test_list_can_be_filtered_by_status(api: Api, make_work_order: Make, spelling: str) -> None:
    make_work_order(status=Status.FAILED)
    canceled = make_work_order(status=Status.CANCELED)
    page = api.data(f"/work-orders?status={spelling}")
    assert [item["id"] for item in page["items"]] == [canceled.pk]
    assert page["total"] == 1


def test_search_finds_prompt_and_id_in_any_case(api: Api, make_work_order: Make) -> None:
    by_prompt = make_work_order(prompt="Mend the LOGIN form")
    by_id = make_work_order(id="my-Login-1", prompt="Something else")
    make_work_order(prompt="Nothing of that kind")
    page = api.data("/work-orders?search=login")
    assert [item["id"] for item in page["items"]] == [by_id.pk, by_prompt.pk]


def test_search_takes_wildcards_literally(api: Api, make_work_order: Make) -> None:
    make_work_order(prompt="A discount of 100 per cent")
    found = make_work_order(prompt="A discount of 100% for_all")
    page = api.data("/work-orders", params={"search": "100% for_"})
    assert [item["id"] for item in page["items"]] == [found.pk]


def test_list_on_one_page_needs_no_count_query(
    api: Api, make_work_order: Make, django_assert_max_num_queries: Any
) -> None:
    make_work_order()
    with django_assert_max_num_queries(2):
        assert api.data("/work-orders?search=nothing-like-it")["total"] == 0


def test_list_needs_as_many_queries_for_many_work_orders_as_for_one(
    api: Api, make_work_order: Make, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        make_work_order()
    with django_assert_max_num_queries(3):
        assert len(api.data("/work-orders?limit=30")["items"]) == 30


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", ["limit"]),
        ("limit=101", ["limit"]),
        ("limit=x", ["limit"]),
        ("limit=", ["limit"]),
        ("limit=1.5", ["limit"]),
        ("offset=-1", ["offset"]),
        ("offset=9223372036854775808", ["offset"]),
        ("offset=" + "9" * 400, ["offset"]),
        ("status=nope", ["status"]),
        ("search=a%00b", ["search"]),
        ("search=" + "x" * 201, ["search"]),
    ],
)
def test_list_refuses_a_malformed_query(api: Api, query: str, path: list[str]) -> None:
    assert paths_of_faults(api.get(f"/work-orders?{query}")) == [path]


@pytest.mark.parametrize("weird", ["does-not-exist", "%00", "..%5c", "x" * 300, "é", "a b", "'--"])
def test_unknown_ids_are_not_found(api: Api, weird: str) -> None:
    for path in (f"/work-orders/{weird}", f"/runs/{weird}", f"/runs/{weird}/log"):
        assert api.get(path).status_code == 404


def test_detail_shows_the_newest_fifty_runs(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    for _ in range(51):
        trigger(work_order)
    detail = api.data(f"/work-orders/{work_order.pk}")
    assert [run["runNumber"] for run in detail["runs"]] == list(range(51, 1, -1))
    assert detail["runCount"] == 51
    assert api.data(f"/runs?workOrderId={work_order.pk}")["total"] == 51


def test_detail_shows_the_limits_of_the_profile(api: Api, work_order: WorkOrder) -> None:
    detail = api.data(f"/work-orders/{work_order.pk}")
    assert (detail["profileName"], detail["maxIterations"], detail["maxTime"]) == (
        "default",
        3,
        3600,
    )


def test_removed_profile_does_not_hide_the_work_order(api: Api, make_work_order: Make) -> None:
    work_order = make_work_order(profile_name="gone", max_iterations=4)
    detail = api.data(f"/work-orders/{work_order.pk}")
    assert (detail["profileName"], detail["maxIterations"]) == ("gone", 4)


def test_cancel_ends_the_work_order_and_its_queued_run(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    run = trigger(work_order)
    response = api.delete(f"/work-orders/{work_order.pk}")
    assert response.json()["data"] == {
        "id": work_order.pk,
        "status": "canceled",
        "message": "Work order canceled successfully",
        "wasRunning": False,
    }
    assert api.data(f"/runs/{run.pk}")["status"] == "canceled"


def test_cancel_requests_an_active_run_to_stop(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    run = trigger(work_order)
    claim_next("w")
    assert api.delete(f"/work-orders/{work_order.pk}").json()["data"]["wasRunning"] is True
    run.refresh_from_db()
    assert run.cancel_requested
    assert api.data(f"/runs/{run.pk}")["status"] == "building"


def test_canceled_work_order_stays_canceled(
    api: Api, work_order: WorkOrder, trigger: MakeRun
) -> None:
    trigger(work_order)
    run = claim_next("w")
    assert run
    api.delete(f"/work-orders/{work_order.pk}")
    finish(run, "w", Status.FAILED, "It ended before it noticed.")
    assert api.data(f"/work-orders/{work_order.pk}")["status"] == "canceled"


@pytest.mark.parametrize("status", ["succeeded", "canceled"])
def test_cancel_of_a_final_work_order_is_refused(
    api: Api, make_work_order: Make, status: str
) -> None:
    path = f"/work-orders/{make_work_order(status=status).pk}"
    before = api.data(path)
    response = api.delete(path)
    assert api.data(path) == before
    assert response.status_code == 409
    assert response.json()["error"] == {
        "code": "CONFLICT",
        "message": f"Cannot cancel work order in status '{status}'",
    }
