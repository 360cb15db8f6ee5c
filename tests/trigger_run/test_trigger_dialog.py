"""The trigger button and its dialog, before anything is started."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.support import runs_api as api
from tests.support.page_text import text_of
from tests.support.runs_api import RunsAPI
from tests.support.trigger_form import HTMX, TriggerForm
from workorders.attempts.models import TriggerAttempt

OLD_RUNS = [
    {"id": "run-2", "runNumber": 2, "status": "failed"},
    {"id": "run-1", "runNumber": 1, "status": "failed"},
]


@pytest.fixture(autouse=True)
def _failed_work_order(runs_api: RunsAPI) -> None:
    runs_api.has(runs=OLD_RUNS)
    runs_api.on(
        "GET",
        "/profiles",
        api.items({"name": "default", "maxIterations": 5}, {"name": "careful", "maxIterations": 8}),
    )


def button_of(client: Client, path: str = "/work-orders/wo-1/") -> str:
    """The trigger button's tag; empty when the page shows none."""
    page = client.get(path).content.decode()
    found = re.search(r'<button id="trigger-run-button"[^>]*>', page)
    return found[0] if found else ""


# --- The specification's unit tests: the button


@pytest.mark.parametrize("status", ["failed", "queued"])
def test_button_visibility_failed(runs_api: RunsAPI, operator: Client, status: str) -> None:
    runs_api.has(status=status)
    button = button_of(operator)
    assert 'aria-keyshortcuts="t"' in button
    assert "aria-disabled" not in button


@pytest.mark.parametrize("status", ["succeeded", "cancelled", "canceled"])
def test_button_visibility_succeeded(runs_api: RunsAPI, operator: Client, status: str) -> None:
    runs_api.has(status=status)
    assert button_of(operator) == ""


@pytest.mark.parametrize("status", ["running", "building"])
def test_button_disabled_active_run(runs_api: RunsAPI, operator: Client, status: str) -> None:
    run = {"id": "run-1", "runNumber": 1, "status": status, "startedAt": "2026-01-02T10:00:00Z"}
    # An active run is the reason, even if the status of the work order is unknown.
    for order_status in ("running", "waiting_for_children"):
        runs_api.has(status=order_status, runs=[run])
        assert 'aria-disabled="true" aria-describedby="trigger-run-reason"' in button_of(operator)
        reason = re.search(
            r'<p id="trigger-run-reason".*?</p>',
            operator.get("/work-orders/wo-1/").content.decode(),
            re.DOTALL,
        )
        assert reason
        words = " ".join(re.sub(r"<[^>]+>", "", reason[0]).split())
        assert words.startswith("Run #1 is in progress, started ")


def test_button_disabled_while_the_work_order_still_says_queued(
    runs_api: RunsAPI, operator: Client
) -> None:
    runs_api.has(status="queued", runs=[{"id": "run-1", "status": "building"}])
    assert "aria-disabled" in button_of(operator)


def test_button_enabled_beside_a_queued_run(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has(status="queued", runs=[{"id": "run-1", "status": "queued"}])
    button = button_of(operator)
    assert button
    assert "aria-disabled" not in button


@pytest.mark.parametrize(
    ("work_order", "reason"),
    [
        ({"status": "waiting_for_children"}, "Status unknown: waiting_for_children"),
        (
            {"runs": [{"id": "run-1", "runNumber": 1, "status": "hibernating"}]},
            "Run #1 has a status this dashboard does not know: hibernating",
        ),
    ],
)
def test_button_disabled_status_unknown(
    runs_api: RunsAPI, operator: Client, work_order: dict[str, Any], reason: str
) -> None:
    runs_api.has(**work_order)
    assert "aria-disabled" in button_of(operator)
    assert reason in text_of(operator.get("/work-orders/wo-1/").content.decode())


def test_button_on_the_page_of_a_run(runs_api: RunsAPI, operator: Client) -> None:
    runs_api.has_run(id="run-2", status="failed")
    assert button_of(operator, "/runs/run-2/")


def test_button_not_for_viewers(viewer: Client) -> None:
    assert button_of(viewer) == ""


# --- The specification's unit tests: the dialog


def test_dialog_opens(form: TriggerForm) -> None:
    opened = form.open()
    text = " ".join(re.sub(r"<[^>]+>", " ", opened.html).split())
    assert opened.status == 200
    assert "Start a new run for this work order?" in text
    assert "Work Order: wo-1" in text
    assert "Prompt: Fix the login" in text
    assert "This will create Run #3 using the current profile settings." in text
    assert "These overrides apply only to this run" in text


def test_dialog_has_its_parts(form: TriggerForm) -> None:
    html = form.open().html
    assert re.search(r"<h[12][^>]*>Trigger New Run</h[12]>", html)
    assert re.search(r'<details class="advanced"\s*>\s*<summary>', html)  # collapsed
    assert "Advanced Options" in html
    assert '<label for="id_max_iterations">Max Iterations</label>' in html
    assert '<label for="id_profile_name">Profile</label>' in html
    assert "Start Run" in html


def test_dialog_alone_for_htmx_and_a_page_without(operator: Client) -> None:
    path = "/work-orders/wo-1/trigger/"
    assert operator.get(path, headers=HTMX).content.lstrip().startswith(b"<form")
    assert operator.get(path).content.startswith(b"<!doctype html>")


def test_dialog_starts_nothing(runs_api: RunsAPI, form: TriggerForm) -> None:
    form.open()
    assert runs_api.triggered == []
    assert not TriggerAttempt.objects.exists()


def test_dialog_cancel(operator: Client, runs_api: RunsAPI) -> None:
    page = operator.get("/work-orders/wo-1/trigger/").content.decode()
    cancel = re.search(r'<a class="button" href="([^"]*)">Cancel</a>', page)
    assert cancel
    assert operator.get(cancel[1]).status_code == 200
    assert runs_api.triggered == []


def test_dialog_cancel_is_no_submit_button_in_htmx(operator: Client) -> None:
    page = operator.get("/work-orders/wo-1/trigger/", headers=HTMX).content.decode()
    assert re.search(r'<button [^>]*type="button" data-close-dialog[^>]*>Cancel</button>', page)


def test_dialog_has_a_new_key_each_time(form: TriggerForm) -> None:
    keys = [re.findall(r'name="key" value="([0-9a-f-]{36})"', form.open().html) for _ in range(2)]
    assert len(keys[0]) == 1
    assert keys[0] != keys[1]


def test_dialog_names_the_queued_run_in_front(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.has(status="queued", runs=[{"id": "run-3", "runNumber": 3, "status": "queued"}])
    html = form.open().html
    assert "Run #3 is already queued; this adds Run #4 behind it." in html


def test_dialog_names_no_number_that_is_not_certain(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.has(runs=[{"id": "run-a", "status": "failed"}], runCount=5)
    html = form.open().html
    assert "This will create a new run using the current profile settings." in html


def test_dialog_shows_the_values_in_force(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.has(profileName="careful", maxIterations=8)
    html = form.open().html
    assert "Left empty: 8, from profile careful" in html
    assert "careful (this work order&#x27;s profile)" in html
    assert '<option value="default">default (5 iterations)</option>' in html


def test_dialog_names_where_the_iterations_of_the_work_order_come_from(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    profiles = api.items(
        {"name": "default", "maxIterations": 5}, {"name": "one", "maxIterations": 1}
    )
    runs_api.on("GET", "/profiles", profiles)
    runs_api.has(maxIterations=8)
    html = form.open().html
    assert "Left empty: 8, set by this work order" in html
    assert '<option value="one">one (1 iteration)</option>' in html


def test_dialog_shows_the_values_in_force_beside_an_error(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.has(profileName="careful", maxIterations=8)
    runs_api.on("GET", "/profiles", api.items({"name": "careful", "maxIterations": 8}))
    html = form.send(max_iterations="0").html
    assert "Left empty: 8, from profile careful" in html


@pytest.mark.parametrize(
    ("profiles", "words"),
    [
        (api.items(), "This runs API offers no profiles to choose from."),
        (api.refusal(404, "NOT_FOUND"), "This runs API offers no profiles to choose from."),
        (api.refusal(500, "INTERNAL_ERROR"), "The profiles could not be loaded"),
        (api.reset, "The profiles could not be loaded"),
    ],
)
def test_dialog_without_profiles(
    runs_api: RunsAPI, form: TriggerForm, profiles: api.Reply, words: str
) -> None:
    runs_api.on("GET", "/profiles", profiles)
    html = form.open().html
    assert words in html
    assert "<select" not in html


def test_dialog_of_a_work_order_that_has_become_active(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.has(status="running", runs=[{"id": "run-7", "runNumber": 7, "status": "running"}])
    html = form.open().html
    assert "A run is already in progress for this work order" in html
    assert '<a href="/runs/run-7/">View Run #7</a>' in html
    assert 'id="start-run"' not in html
    assert re.search(r"<(a|button)[^>]*>Close</", html)
    assert ">Cancel</" not in html


def test_dialog_while_the_api_is_down(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.go_away()
    opened = form.open()
    assert opened.status == 422
    assert "Could not connect to server. Please try again." in opened.html
    assert "No run was started." not in opened.html  # nothing was to be started


def test_dialog_of_a_work_order_that_is_gone(operator: Client) -> None:
    response = operator.get("/work-orders/gone/trigger/", follow=True)
    assert response.request["PATH_INFO"] == "/work-orders/"
    assert "This work order no longer exists" in response.content.decode()


def test_dialog_that_showed_nothing_offers_nothing_to_confirm(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    """F7.3: a retry of a dialog that was never shown opens it and starts nothing."""
    runs_api.go_away()
    html = form.open().html
    assert 'type="submit"' not in html.partition("<footer")[2]
    assert f'hx-get="{form.url}"' in html
    assert "Retry" in html


def test_dialog_is_told_from_its_part_and_comes_back_with_its_key(
    operator: Client, runs_api: RunsAPI
) -> None:
    """A kept page brings the same key on the way back, so that sending it again is harmless."""
    runs_api.has()
    response = operator.get("/work-orders/wo-1/trigger/")
    assert "HX-Request" in response["Vary"]
    assert "no-store" not in response["Cache-Control"]
