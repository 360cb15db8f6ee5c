"""The pages on recorded responses of a real server, which differ from the specification."""

import json
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from tests.support.page_text import show, text_of
from tests.support.recordings import EXCHANGES
from tests.support.runs_api import RunsAPI, answer
from tests.support.trigger_form import TriggerForm

SHOP, LOGIN, CANCELED = "2Nymmlyo9iaW", "M1_VScbOkk2j", "E5pBW5TLKGNs"
RUN = "26044543-624e-424b-9806-ae059c2e337a"
Play = Callable[..., None]

BUTTON = 'id="trigger-run-button"'


@pytest.fixture
def play(runs_api: RunsAPI) -> Play:
    """Make the fake runs API give the responses that are recorded under these names."""

    def play(*names: str) -> None:
        for name in names:
            request, response = EXCHANGES[name]["request"], EXCHANGES[name]["response"]
            path = request["path"].removeprefix("/api/v1").partition("?")[0]
            body = json.dumps(response["body"]).encode()
            runs_api.on(request["method"], path, answer(response["status"], body))

    return play


def test_work_order_page_shows_that_there_are_no_runs(play: Play, operator: Client) -> None:
    play("work order detail, queued, no runs")
    html = show(operator, f"/work-orders/{SHOP}/")
    assert "No runs yet." in html
    assert BUTTON in html


def test_work_order_page_shows_the_building_run_of_a_queued_work_order(
    play: Play, operator: Client
) -> None:
    play("work order detail while its run builds")
    text = text_of(show(operator, f"/work-orders/{SHOP}/"))
    assert "Status: queued" in text
    assert "Run #1 is in progress, started" in text


def test_succeeded_work_order_has_no_button(play: Play, operator: Client) -> None:
    play("work order detail, succeeded")
    assert BUTTON not in show(operator, f"/work-orders/{SHOP}/")


def test_canceled_work_order_has_no_button(play: Play, operator: Client) -> None:
    play("work order detail, canceled")
    html = show(operator, f"/work-orders/{CANCELED}/")
    assert 'data-status="cancelled"' in html
    assert BUTTON not in html


def test_list_shows_the_recorded_work_orders(play: Play, operator: Client) -> None:
    play("list work orders")
    html = show(operator, "/work-orders/")
    items = EXCHANGES["list work orders"]["response"]["body"]["data"]["items"]
    assert all(f'id="work-order-{item["id"]}"' in html for item in items)


def test_run_page_shows_a_building_run(play: Play, operator: Client) -> None:
    play("run detail while building", "work order detail while its run builds")
    text = text_of(show(operator, f"/runs/{RUN}/"))
    assert "Run #1 Status: building" in text


def test_run_page_shows_the_status_when_the_api_fails_to_show_the_run(
    play: Play, operator: Client
) -> None:
    play("run detail, succeeded", "list runs")
    text = text_of(show(operator, f"/runs/{RUN}/"))
    assert "Status: succeeded" in text
    assert "The runs API failed to show this run." in text


def test_run_accepted_without_a_number_is_shown(play: Play, form: TriggerForm) -> None:
    form.work_order_id = SHOP
    play("work order detail, queued, no runs", "profiles, none", "trigger accepted")
    response = form.send()
    assert response.location == f"/runs/{RUN}/"
    play("run detail while building", "work order detail while its run builds")
    text = text_of(response.next_page)
    assert "Run #1 started" in text
    assert f"Run {RUN} accepted" not in text
    assert "Triggered by operator" in text


def test_accepted_run_that_does_not_appear_is_waited_for(play: Play, form: TriggerForm) -> None:
    form.work_order_id = LOGIN
    play("work order detail, failed", "trigger, failing workspace")
    response = form.send()
    text = text_of(response.next_page)
    assert "Run accepted, waiting for it to appear." in text
    assert "Run run-M1_VScbOkk2j-1795430617725 accepted" in text
    assert "1795430617725 started" not in text


REFUSED = {
    "succeeded": (SHOP, "This work order has already succeeded"),
    "canceled": (CANCELED, "This work order was cancelled"),
}


@pytest.mark.parametrize("status", REFUSED)
def test_refusal_is_explained_by_the_status_of_the_work_order(
    play: Play, form: TriggerForm, status: str
) -> None:
    form.work_order_id, words = REFUSED[status]
    play(f"work order detail, {status}", f"trigger refused, work order {status}")
    assert words in form.send().next_page


def test_dialog_shows_that_there_are_no_profiles(play: Play, form: TriggerForm) -> None:
    form.work_order_id = LOGIN
    play("work order detail, failed", "profiles, none")
    assert "This runs API offers no profiles to choose from." in form.open().html


def test_run_is_cancelled_with_its_work_order(
    play: Play, runs_api: RunsAPI, operator: Client, settings: Settings
) -> None:
    settings.RUNS_API_CANCELS = "WORK-ORDER"
    run = {"id": "run-1", "workOrderId": CANCELED, "status": "building"}
    runs_api.has_run(**run, runNumber=None)
    play("work order detail, canceled", "cancel")
    response = operator.post("/runs/run-1/cancel/", {"scope": "work-order"}, follow=True)
    text = f"Work order {CANCELED} is already cancelled. Run run-1 is building."
    assert text in text_of(response.content.decode())
