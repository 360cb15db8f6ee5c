"""The answer to a trigger is lost: what became of it is found out, never guessed.

``tests/exactly_once/`` drives the same through every fault.
"""

import datetime as dt
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.page_text import text_of
from tests.support.runs_api import Asked, Handler, RunsAPI, answer, refusal
from tests.support.trigger_form import HTMX, Answered, TriggerForm
from workorders.accounts.users import ensure_account
from workorders.attempts import transitions
from workorders.attempts.models import TriggerAttempt
from workorders.error_table import CODE_OF_STATUS

OLD_RUN = {"id": "run-1", "runNumber": 1, "status": "failed"}
NEW_RUN = {"id": "run-2", "runNumber": 2, "status": "queued"}
STARTED = {"runId": "run-2", "runNumber": 2, "status": "queued"}
CHECKING = "Checking whether your run started…"
NOT_KNOWN = "We could not find out"


@pytest.fixture(autouse=True)
def _failed_work_order(runs_api: RunsAPI) -> None:
    runs_api.has(runs=[OLD_RUN])


@pytest.fixture
def honest_keys(runs_api: RunsAPI, settings: Settings) -> None:
    settings.RUNS_API_HONOURS_KEYS = True


@pytest.fixture
def no_patience(settings: Settings) -> None:
    """Nothing is looked for any longer after the first look."""
    settings.RUNS_API_SETTLE_SECONDS = 0


def starts_a_run(runs_api: RunsAPI, reply: api.Reply) -> api.Reply:
    """The run is started, and then ``reply`` comes in place of the answer."""

    def started(handler: Handler, asked: Asked) -> None:
        runs_api.has(status="queued", runs=[NEW_RUN, OLD_RUN])
        reply(handler, asked)

    return started


def check(form: TriggerForm) -> Answered:
    """What the dialog does by itself, and without scripts a person by its button."""
    response = form.client.post(f"{form.url}{form.key}/", headers=form.headers)
    return Answered(response, form.client)


LOST = {
    "reset": api.reset,
    "text": answer(200, b"it works!", "text/plain"),
    "html": answer(404, b"<!doctype html><title>Welcome</title>", "text/html"),
    "list": answer(200, b'["a", "list"]'),
    "other": answer(200, b'{"ok": true}'),
    "empty": answer(200, b""),
    "no run": answer(201, b'{"success": true, "data": {"status": "queued"}}'),
    "no data": answer(201, b'{"success": true}'),
    "no code": answer(201, b'{"success": false}'),
    "success with 500": answer(500, b'{"success": true, "data": {"runId": "run-2"}}'),
    "redirect": answer(302, b"", Location="/elsewhere"),
    "502": refusal(502, "BAD_GATEWAY"),
    "504 page": answer(504, b"<h1>Gateway Time-out</h1>", "text/html"),
}
"""Answers that tell nothing of the run."""


@pytest.mark.parametrize("reply", LOST.values(), ids=LOST)
def test_a_run_that_was_started_is_found(
    runs_api: RunsAPI, form: TriggerForm, reply: api.Reply
) -> None:
    runs_api.triggers(starts_a_run(runs_api, reply))
    runs_api.has_run(id="run-2", runNumber=2, status="queued")
    answered = form.send()
    assert answered.location == "/runs/run-2/"
    assert "Run #2 started" in answered.next_page
    assert len(runs_api.triggered) == 1


@pytest.mark.parametrize("reply", LOST.values(), ids=LOST)
def test_nothing_is_claimed_while_no_run_is_to_be_seen(
    runs_api: RunsAPI, form: TriggerForm, reply: api.Reply
) -> None:
    runs_api.triggers(reply)
    answered = form.send()
    assert CHECKING in (answered.html or answered.next_page)
    assert len(runs_api.triggered) == 1


@pytest.mark.usefixtures("impatient")
def test_a_time_out_is_told_before_the_run_is_looked_for(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    """N7.1: the operator gets an answer in time, though it is not the last one."""
    runs_api.triggers(starts_a_run(runs_api, api.silence))
    runs_api.has_run(id="run-2", runNumber=2, status="queued")
    answered = form.send()
    assert CHECKING in (answered.html or answered.next_page)
    assert check(form).location == "/runs/run-2/"


def test_the_time_of_a_start_is_its_own(
    runs_api: RunsAPI, form: TriggerForm, settings: Settings
) -> None:
    """N7.1, whatever a read may take elsewhere."""
    settings.RUNS_API_TRIGGER_TIMEOUT = 1
    runs_api.triggers(api.silence)
    answered = form.send()
    assert CHECKING in (answered.html or answered.next_page)
    assert not runs_api.waited_out.is_set()


def test_a_run_that_appears_later_is_found(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(api.reset)
    form.send()
    runs_api.has(status="queued", runs=[NEW_RUN, OLD_RUN])
    runs_api.has_run(id="run-2", runNumber=2, status="queued")
    answered = check(form)
    assert answered.location == "/runs/run-2/"
    assert "Run #2 started" in answered.next_page


def test_a_dialog_that_goes_on_checking_is_left_as_it_is(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.triggers(api.reset)
    form.send()
    answered = check(form)
    if form.headers == HTMX:
        assert answered.status == 204
    else:
        assert answered.location == f"{form.url}{form.key}/"
        assert CHECKING in answered.next_page


@pytest.mark.usefixtures("no_patience")
def test_what_cannot_be_found_out_offers_no_second_start(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    runs_api.triggers(api.reset)
    answered = form.send()
    assert NOT_KNOWN in answered.html
    assert f'<a class="button" href="{form.url}{form.key}/">Look again</a>' in answered.html
    assert 'href="/work-orders/wo-1/"' in answered.html
    assert "start-run" not in answered.html
    assert NOT_KNOWN in form.send().html
    assert len(runs_api.triggered) == 1


def test_one_of_two_new_runs_is_nobody_s(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(api.reset)
    form.send()
    runs_api.has(status="queued", runs=[NEW_RUN | {"id": "run-3", "runNumber": 3}, NEW_RUN])
    assert NOT_KNOWN in check(form).html


def test_a_run_of_another_time_is_not_taken_for_it(
    runs_api: RunsAPI, form: TriggerForm, settings: Settings
) -> None:
    runs_api.triggers(api.reset)
    form.send()
    settings.RUNS_API_SETTLE_SECONDS = 0
    much_later = timezone.now() + dt.timedelta(hours=3)
    later_run = NEW_RUN | {"queuedAt": much_later.isoformat()}
    runs_api.has(status="queued", runs=[later_run, OLD_RUN])
    assert NOT_KNOWN in check(form).html


@pytest.mark.parametrize(
    "shown",
    [
        {"overrides": {}},
        {"overrides": {"profileName": "careful"}},
        {"profileName": "quick"},
    ],
    ids=["no options", "other options", "other profile"],
)
def test_a_run_with_other_options_is_not_taken_for_it(
    runs_api: RunsAPI, form: TriggerForm, settings: Settings, shown: dict[str, Any]
) -> None:
    """Somebody has started it without the dashboard."""
    settings.RUNS_API_SETTLE_SECONDS = 0
    runs_api.triggers(api.reset)
    form.send(max_iterations="7", profile_name="careful")
    runs_api.has(status="queued", runs=[NEW_RUN | shown, OLD_RUN])
    assert NOT_KNOWN in check(form).html


def test_a_run_of_another_attempt_is_not_taken_for_it(
    runs_api: RunsAPI, operator: Client, form: TriggerForm
) -> None:
    runs_api.triggers(api.reset)
    form.send()
    TriggerAttempt.objects.create(
        user=TriggerAttempt.objects.get().user,
        work_order_id="wo-1",
        state="started",
        run_id="run-2",
        run_source="response",
    )
    runs_api.has(status="queued", runs=[NEW_RUN, OLD_RUN])
    answered = check(form)
    assert answered.status == 204 or CHECKING in answered.next_page


def test_a_run_that_another_attempt_waits_for_is_not_taken_for_it(
    runs_api: RunsAPI, operator: Client, form: TriggerForm
) -> None:
    """Accepted just before under an ID that may be provisional, it is not listed yet."""
    runs_api.triggers(api.reset)
    form.send()
    TriggerAttempt.objects.create(
        user=TriggerAttempt.objects.get().user,
        work_order_id="wo-1",
        state="started",
        sent_at=timezone.now(),
        run_id="run-provisional",
        run_source="response",
    )
    runs_api.has(status="queued", runs=[NEW_RUN, OLD_RUN])
    answered = check(form)
    assert answered.status == 204 or CHECKING in answered.next_page


@pytest.mark.usefixtures("honest_keys")
class TestKeysAreHonoured:
    def test_the_same_key_is_sent_again(self, runs_api: RunsAPI, form: TriggerForm) -> None:
        def lose_the_first(handler: Handler, asked: Asked) -> None:
            first = len(runs_api.triggered) == 1
            (api.reset if first else api.data(STARTED, 201))(handler, asked)

        runs_api.triggers(lose_the_first)
        assert form.send(max_iterations="7").location == "/runs/run-2/"
        first, second = runs_api.triggered
        assert first.body == second.body
        keys = [asked.headers["idempotency-key"] for asked in (first, second)]
        assert keys == [form.key, form.key]

    def test_a_refusal_because_no_run_has_the_key_is_the_answer(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        def lose_the_first(handler: Handler, asked: Asked) -> None:
            first = len(runs_api.triggered) == 1
            (api.reset if first else refusal(422, "VALIDATION_ERROR"))(handler, asked)

        runs_api.triggers(lose_the_first)
        assert "The runs API did not accept these options" in form.send().html

    def test_active_run_that_was_there_before_is_in_the_way(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        """It was queued when the request went out: no run has the key."""
        queued, running = OLD_RUN | {"status": "queued"}, OLD_RUN | {"status": "running"}
        runs_api.has(status="queued", runs=[queued])

        def lose_the_first(handler: Handler, asked: Asked) -> None:
            first = len(runs_api.triggered) == 1
            runs_api.has(status="running", runs=[running])
            (api.reset if first else refusal(409, "RUN_ALREADY_ACTIVE"))(handler, asked)

        runs_api.triggers(lose_the_first)
        assert "A run is already in progress for this work order" in form.send().next_page

    @pytest.mark.parametrize(
        "details",
        [None, {"runId": "run-2"}, {"runId": "run-1"}],
        ids=["unnamed", "named", "old one named"],
    )
    def test_active_run_that_was_not_there_before_may_be_its_own_or_not(
        self, runs_api: RunsAPI, form: TriggerForm, settings: Settings, details: Any
    ) -> None:
        def lose_the_first(handler: Handler, asked: Asked) -> None:
            first = len(runs_api.triggered) == 1
            runs_api.has(status="running", runs=[NEW_RUN | {"status": "running"}, OLD_RUN])
            then = refusal(409, "RUN_ALREADY_ACTIVE", details=details)
            (api.reset if first else then)(handler, asked)

        runs_api.triggers(lose_the_first)
        answered = form.send()
        assert CHECKING in (answered.html or answered.next_page)
        settings.RUNS_API_SETTLE_SECONDS = 0
        assert NOT_KNOWN in check(form).html
        assert NOT_KNOWN in check(form).html

    @pytest.mark.parametrize("status", [401, 403, 409, 429, 500])
    def test_any_other_refusal_of_the_second_says_nothing_of_the_first(
        self, runs_api: RunsAPI, form: TriggerForm, status: int
    ) -> None:
        code = CODE_OF_STATUS.get(status, "VALIDATION_ERROR")  # a server that fails knows nothing

        def lose_the_first(handler: Handler, asked: Asked) -> None:
            first = len(runs_api.triggered) == 1
            (api.reset if first else refusal(status, code))(handler, asked)

        runs_api.triggers(lose_the_first)
        answered = form.send()
        assert CHECKING in (answered.html or answered.next_page)

    def test_much_later_nothing_is_started_any_more(
        self, runs_api: RunsAPI, form: TriggerForm, settings: Settings
    ) -> None:
        runs_api.triggers(api.reset)
        form.send()
        settings.RUNS_API_SETTLE_SECONDS = 0
        sent = len(runs_api.triggered)
        answered = check(form)
        assert NOT_KNOWN in answered.html
        assert len(runs_api.triggered) == sent

    def test_the_operator_s_own_repetition_sends_the_key_again(
        self, runs_api: RunsAPI, form: TriggerForm, settings: Settings
    ) -> None:
        """After a restart of the dashboard, for example."""
        runs_api.triggers(api.reset)
        form.send()
        settings.RUNS_API_SETTLE_SECONDS = 0
        runs_api.triggers(api.data(STARTED, 201))
        assert form.send().location == "/runs/run-2/"
        assert {asked.headers["idempotency-key"] for asked in runs_api.triggered} == {form.key}

    def test_an_old_key_is_not_sent_again(self, runs_api: RunsAPI, form: TriggerForm) -> None:
        """The API may have forgotten it, and would start a second run."""
        runs_api.triggers(api.reset)
        form.send()
        sent = len(runs_api.triggered)
        a_day_ago = timezone.now() - dt.timedelta(hours=25)
        TriggerAttempt.objects.update(sent_at=a_day_ago, lost_at=a_day_ago)
        assert NOT_KNOWN in form.send().html
        assert len(runs_api.triggered) == sent

    def test_long_wait_for_the_answer_leaves_time_to_look(
        self, runs_api: RunsAPI, form: TriggerForm, settings: Settings
    ) -> None:
        """The time-out of a trigger may be longer than its run is looked for."""
        settings.RUNS_API_SETTLE_SECONDS = 60
        runs_api.triggers(api.reset)
        form.send()
        TriggerAttempt.objects.update(sent_at=timezone.now() - dt.timedelta(seconds=90))
        runs_api.triggers(api.data(STARTED, 201))
        assert check(form).location == "/runs/run-2/"

    def test_much_later_a_run_that_was_started_is_found(
        self, runs_api: RunsAPI, form: TriggerForm, settings: Settings
    ) -> None:
        runs_api.triggers(api.reset)
        form.send()
        settings.RUNS_API_SETTLE_SECONDS = 0
        runs_api.has(status="queued", runs=[NEW_RUN, OLD_RUN])
        assert check(form).location == "/runs/run-2/"


def test_a_run_that_turns_up_after_the_search_was_given_up_is_found(
    runs_api: RunsAPI, form: TriggerForm, settings: Settings
) -> None:
    runs_api.triggers(api.reset)
    form.send()
    settings.RUNS_API_SETTLE_SECONDS = 0
    assert NOT_KNOWN in check(form).html
    runs_api.has(status="queued", runs=[NEW_RUN, OLD_RUN])
    assert check(form).location == "/runs/run-2/"
    assert len(runs_api.triggered) == 1


def test_a_run_without_a_time_that_turns_up_much_later_is_not_taken(
    runs_api: RunsAPI, form: TriggerForm, settings: Settings
) -> None:
    settings.RUNS_API_SETTLE_SECONDS = 0
    runs_api.triggers(api.reset)
    assert NOT_KNOWN in form.send().html
    TriggerAttempt.objects.update(sent_at=timezone.now() - dt.timedelta(hours=1))
    runs_api.has(status="queued", runs=[NEW_RUN, OLD_RUN])
    assert NOT_KNOWN in check(form).html


def test_a_run_that_may_be_another_attempt_s_is_not_taken(
    runs_api: RunsAPI, form: TriggerForm, settings: Settings
) -> None:
    """The run of a start of which nothing could be found out appears late."""
    settings.RUNS_API_SETTLE_SECONDS = 0
    runs_api.triggers(api.reset)
    form.send()
    second = TriggerForm(form.client, form.headers)
    second.send()
    runs_api.has(status="queued", runs=[NEW_RUN, OLD_RUN])
    assert NOT_KNOWN in check(second).html


def test_a_clock_that_was_put_back_holds_nothing_up(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(api.reset)
    form.send()
    to_come = timezone.now() + dt.timedelta(hours=1)
    TriggerAttempt.objects.update(sent_at=to_come, lost_at=to_come)
    assert NOT_KNOWN in check(form).html


@pytest.mark.django_db(transaction=True)
def test_a_late_success_is_written_down(runs_api: RunsAPI, form: TriggerForm) -> None:
    """Another process has taken the sender for gone meanwhile, and given up."""

    def give_up_meanwhile(handler: Handler, asked: Asked) -> None:
        TriggerAttempt.objects.update(state="unresolved")
        connection.close()  # this thread's own
        api.data(STARTED, 201)(handler, asked)

    runs_api.triggers(give_up_meanwhile)
    assert form.send().location == "/runs/run-2/"
    assert TriggerAttempt.objects.get().run_id == "run-2"


class TestAnotherStartIsOpen:
    def test_it_is_settled_first(self, runs_api: RunsAPI, form: TriggerForm) -> None:
        runs_api.triggers(api.reset)
        form.send()
        second = TriggerForm(form.client, form.headers)
        answered = second.send(max_iterations="7")
        assert "Another start of this work order is under way." in answered.html
        assert 'value="7"' in answered.html
        assert len(runs_api.triggered) == 1

    def test_a_second_dialog_on_purpose_starts_a_second_run(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        runs_api.triggers(starts_a_run(runs_api, api.reset))
        form.send()
        third = {"runId": "run-3", "runNumber": 3, "status": "queued"}
        runs_api.triggers(api.data(third, 201))
        assert TriggerForm(form.client, form.headers).send().location == "/runs/run-3/"

    def test_a_process_that_died_before_it_sent_is_no_hindrance(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        an_hour_ago = timezone.now() - dt.timedelta(hours=1)
        TriggerAttempt.objects.create(
            user=ensure_account("somebody", can_trigger=True),
            work_order_id="wo-1",
            state="sent",
            sent_at=an_hour_ago,
        )
        runs_api.triggers(api.data(STARTED, 201))
        assert form.send().location == "/runs/run-2/"

    def test_a_process_that_died_long_ago_is_not_waited_for(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        """The time for reconciliation began when its request timed out, not just now."""
        runs_api.triggers(refusal(429, "RATE_LIMITED"))
        form.send()
        an_hour_ago = timezone.now() - dt.timedelta(hours=1)
        TriggerAttempt.objects.update(state=TriggerAttempt.State.SENT, sent_at=an_hour_ago)
        assert NOT_KNOWN in check(form).html

    def test_the_form_of_a_process_that_died_before_it_sent_starts_its_run(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        runs_api.triggers(refusal(429, "RATE_LIMITED"))
        form.send(max_iterations="7")
        an_hour_ago = timezone.now() - dt.timedelta(hours=1)
        TriggerAttempt.objects.update(state="sent", sent_at=an_hour_ago, was_sent=False)
        answered = form.send(max_iterations="7")
        assert "The run was not started." in answered.html
        assert 'value="7"' in answered.html
        runs_api.triggers(api.data(STARTED, 201))
        assert form.send(max_iterations="7").location == "/runs/run-2/"


class TestSomebodyElseLooks:
    def test_the_check_is_of_the_same_start(self, runs_api: RunsAPI, form: TriggerForm) -> None:
        runs_api.triggers(api.reset)
        form.send()
        form.client.force_login(ensure_account("colleague", can_trigger=True))
        page = form.client.get(f"{form.url}{form.key}/").content.decode()
        assert f'action="{form.url}{form.key}/"' in page


class TestWorkOrderHasChanged:
    def test_nothing_is_sent_and_the_dialog_says_what_changed(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        runs_api.triggers(api.data(STARTED, 201))
        newer = NEW_RUN | {"status": "failed"}
        runs_api.has(runs=[newer, OLD_RUN])
        answered = form.send(seen="queued/queued/run-1", max_iterations="7")
        assert answered.status == 409
        words = text_of(answered.html)
        assert "This work order has changed since you opened this dialog" in words
        assert "Run #2 is its newest run now (failed)." in words
        assert "Its status was queued and is failed now." in words
        assert 'value="7"' in answered.html
        assert 'name="seen" value="failed/failed/run-2"' in answered.html
        assert runs_api.triggered == []

    def test_a_run_that_went_on_meanwhile_is_named(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        words = text_of(form.send(seen="failed/queued/run-1").html)
        assert "Run #1 was queued and is failed now." in words
        assert runs_api.triggered == []

    def test_a_queued_run_that_is_at_work_now_stands_in_the_way(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        """Recorded: the work order stays queued while its run is built."""
        runs_api.has(status="queued", runs=[OLD_RUN | {"status": "building"}])
        assert "A run is already in progress" in form.send(seen="queued/queued/run-1").next_page
        assert runs_api.triggered == []

    def test_confirmed_again_the_run_starts(self, runs_api: RunsAPI, form: TriggerForm) -> None:
        runs_api.triggers(api.data(STARTED, 201))
        words = text_of(form.send(seen="failed//").html)
        assert "Run #1 is its newest run now (failed)." in words
        assert form.send(seen="failed/failed/run-1").location == "/runs/run-2/"

    def test_an_id_that_ends_in_a_blank_is_no_change(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        runs_api.has(runs=[OLD_RUN | {"id": "run-1 "}])
        runs_api.triggers(api.data(STARTED, 201))
        assert form.send(seen="failed/failed/run-1 ").location == "/runs/run-2/"

    def test_the_dialog_carries_what_it_shows(self, form: TriggerForm) -> None:
        assert 'name="seen" value="failed/failed/run-1"' in form.open().html

    def test_a_refused_dialog_still_carries_what_it_was_opened_on(self, form: TriggerForm) -> None:
        answered = form.send(seen="failed/failed/run-0", max_iterations="many")
        assert 'name="seen" value="failed/failed/run-0"' in answered.html

    def test_a_run_that_is_active_now_stands_in_the_way(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        runs_api.has(status="running", runs=[NEW_RUN | {"status": "running"}, OLD_RUN])
        answered = form.send(seen="failed/failed/run-1")
        assert answered.location == "/work-orders/wo-1/"
        page = answered.next_page
        assert "A run is already in progress for this work order" in page
        assert '<a href="/runs/run-2/">View Run #2</a>' in page
        assert runs_api.triggered == []


class TestCheckPage:
    def test_reading_it_starts_and_settles_nothing(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        runs_api.triggers(api.reset)
        form.send()
        sent = len(runs_api.asked)
        page = form.client.get(f"{form.url}{form.key}/").content.decode()
        assert CHECKING in page
        assert len(runs_api.asked) == sent

    def test_it_leads_to_the_run_once_there_is_one(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        runs_api.triggers(api.data(STARTED, 201))
        form.send()
        assert form.client.get(f"{form.url}{form.key}/")["Location"] == "/runs/run-2/"

    def test_of_a_refused_start_names_no_run_that_is_over(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        """Opened days later: what stood in the way then does not any more."""
        runs_api.triggers(refusal(409, "RUN_ALREADY_ACTIVE", details={"runId": "run-1"}))
        assert "A run is already in progress" in form.send().next_page
        page = form.client.get(f"{form.url}{form.key}/").content.decode()
        assert "The run was not started." in page
        assert "A run is already in progress" not in page

    def test_of_a_refused_start_names_a_run_that_is_in_the_way(
        self, runs_api: RunsAPI, form: TriggerForm
    ) -> None:
        runs_api.triggers(refusal(409, "RUN_ALREADY_ACTIVE"))
        assert "View Run #2" not in form.send().next_page
        runs_api.has(status="running", runs=[NEW_RUN | {"status": "running"}])
        page = form.client.get(f"{form.url}{form.key}/", follow=True).content.decode()
        assert "A run is already in progress for this work order" in page
        assert '<a href="/runs/run-2/">View Run #2</a>' in page

    def test_of_no_attempt_is_not_found(self, form: TriggerForm) -> None:
        assert form.client.get(f"{form.url}{form.key}/").status_code == 404

    def test_of_somebody_else_offers_a_form_of_one_s_own(self, form: TriggerForm) -> None:
        attempt = TriggerAttempt.objects.create(
            user=ensure_account("somebody", can_trigger=True), work_order_id="wo-1"
        )
        page = form.client.get(f"{form.url}{attempt.key}/").content.decode()
        assert "The run was not started." in page
        assert str(attempt.key) not in page


def test_start_that_could_not_be_written_down_is_found(
    runs_api: RunsAPI, form: TriggerForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database fails just after the API has answered."""
    start = transitions.start

    def fail(*_: object, **__: object) -> bool:
        monkeypatch.setattr(transitions, "start", start)
        raise OperationalError("the disk is full")

    monkeypatch.setattr(transitions, "start", fail)
    form.client.raise_request_exception = False
    runs_api.triggers(starts_a_run(runs_api, api.data(STARTED, 201)))
    assert form.send().status == 503
    TriggerAttempt.objects.update(sent_at=timezone.now() - dt.timedelta(seconds=45))
    assert form.send().location == "/runs/run-2/"
    assert len(runs_api.triggered) == 1
