"""A form that is sent after its session has ended comes back as it was, and starts nothing."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.http import MAX_URL_LENGTH

from tests.support import runs_api as api
from tests.support.page_text import text_of
from tests.support.runs_api import RunsAPI
from tests.support.trigger_form import HTMX, KINDS, Answered, TriggerForm
from workorders.accounts.models import Session
from workorders.accounts.sign_in_links import sign_in_path
from workorders.accounts.users import ensure_account, ensure_operator
from workorders.attempts.models import TriggerAttempt

ENDED = "Your session had ended, so nothing was started."
PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def _failed_work_order(runs_api: RunsAPI) -> None:
    runs_api.has(runs=[{"id": "run-1", "runNumber": 1, "status": "failed"}])
    runs_api.triggers(api.data({"runId": "run-2", "runNumber": 2, "status": "queued"}, 201))
    runs_api.has_run(id="run-2", runNumber=2)


def end_sessions() -> None:
    Session.objects.all().delete()


def sign_in(client: Client, location: str, username: str = "operator") -> str:
    """Sign in at the page a browser was sent to; the page that it is sent to then."""
    user = User.objects.get(username=username)
    user.set_password(PASSWORD)
    user.save()
    assert urlsplit(location).path == "/sign-in/"
    typed = {"username": username, "password": PASSWORD}
    target = parse_qs(urlsplit(location).query)["next"][0]
    return str(client.post("/sign-in/", typed | {"next": target})["Location"])


def expired(form: TriggerForm, **typed: str) -> str:
    """Send the form after its session; the page after signing in again."""
    end_sessions()
    return sign_in(form.client, form.send(**typed).location)


def show(form: TriggerForm, location: str) -> Answered:
    """As a page: signing in always leads to one."""
    return Answered(form.client.get(location), form.client)


def test_the_dialog_comes_back_as_it_was(form: TriggerForm, runs_api: RunsAPI) -> None:
    typed = {"max_iterations": "7", "profile_name": "careful & slow", "seen": "failed/run-1"}
    page = show(form, expired(form, **typed))
    assert page.status == 200
    assert urlsplit(page.response.request["PATH_INFO"]).path == form.url  # type: ignore[attr-defined]
    assert f"{ENDED} Check and press Start Run." in text_of(page.html)
    assert f'name="key" value="{form.key}"' in page.html
    assert 'name="seen" value="failed/run-1"' in page.html
    assert 'name="max_iterations" value="7"' in page.html
    assert '<option value="careful &amp; slow" selected>' in page.html
    assert 'class="advanced" open' in page.html
    assert runs_api.triggered == []


def test_pressed_again_it_starts_its_one_run(form: TriggerForm, runs_api: RunsAPI) -> None:
    show(form, expired(form))
    assert form.send().location == "/runs/run-2/"
    assert runs_api.triggered[0].headers["idempotency-key"] == form.key
    assert len(runs_api.triggered) == 1


def test_no_sign_in_page_is_put_into_the_dialog(operator: Client) -> None:
    form = TriggerForm(operator, HTMX)
    end_sessions()
    answered = form.send()
    assert answered.response["HX-Redirect"].startswith("/sign-in/")
    assert answered.html == ""


def test_untouched_options_stay_closed(form: TriggerForm) -> None:
    page = show(form, expired(form, max_iterations="", profile_name=""))
    assert 'class="advanced"' in page.html
    assert 'class="advanced" open' not in page.html


@pytest.mark.parametrize("bad", ["0", "a lot", "<b>5</b>", "1e9"])
def test_bad_values_are_shown_as_typed(form: TriggerForm, bad: str) -> None:
    page = show(form, expired(form, max_iterations=bad))
    assert page.status == 200
    escaped = bad.replace("<", "&lt;").replace(">", "&gt;")
    assert f'name="max_iterations" value="{escaped}"' in page.html


def test_absurdly_long_values_are_dropped_and_that_is_said(form: TriggerForm) -> None:
    location = expired(form, max_iterations="9" * MAX_URL_LENGTH, profile_name="careful")
    assert len(location) < 200
    page = show(form, location)
    assert "What you had typed was too long to be kept." in text_of(page.html)
    assert "careful" not in page.html


def test_longest_profile_name_is_kept(form: TriggerForm) -> None:
    name = "é" * 255
    assert f'<option value="{name}" selected>' in show(form, expired(form, profile_name=name)).html


def test_a_form_that_has_started_a_run_leads_to_it(form: TriggerForm, runs_api: RunsAPI) -> None:
    form.send()
    page = show(form, expired(form))
    assert page.status == 302
    page = show(form, page.location)
    assert page.location == "/runs/run-2/"
    assert len(runs_api.triggered) == 1


def test_a_form_whose_answer_was_lost_leads_to_the_check(
    form: TriggerForm, runs_api: RunsAPI
) -> None:
    runs_api.triggers(api.reset)
    form.send()
    page = show(form, expired(form))
    assert page.location == f"{form.url}{form.key}/"
    assert "Checking whether your run started" in page.next_page
    assert len(runs_api.triggered) == 1


def test_a_form_that_was_refused_may_be_sent_again(form: TriggerForm, runs_api: RunsAPI) -> None:
    runs_api.triggers(api.refusal(429, "RATE_LIMITED"))
    form.send()
    assert TriggerAttempt.objects.get().state == TriggerAttempt.State.PENDING
    assert f'name="key" value="{form.key}"' in show(form, expired(form)).html


def test_another_account_gets_a_key_of_its_own(form: TriggerForm, runs_api: RunsAPI) -> None:
    form.send()
    ensure_account("alex", can_trigger=True)
    end_sessions()
    location = sign_in(form.client, form.send(max_iterations="7").location, "alex")
    page = show(form, location)
    assert ENDED in text_of(page.html)
    assert 'name="max_iterations" value="7"' in page.html
    assert form.key not in page.html


def test_another_account_without_permission_may_not(form: TriggerForm) -> None:
    ensure_account("viewer", can_trigger=False)
    end_sessions()
    assert show(form, sign_in(form.client, form.send().location, "viewer")).status == 403


def test_the_key_of_another_work_order_is_replaced(form: TriggerForm, runs_api: RunsAPI) -> None:
    form.send()
    runs_api.has(id="wo-2")
    html = show(form, f"/work-orders/wo-2/trigger/?session=ended&key={form.key}").html
    assert form.key not in html


@pytest.mark.parametrize("key", ["", "x", "%00", "0" * 300])
def test_a_key_that_is_none_is_replaced(form: TriggerForm, key: str) -> None:
    page = show(form, f"{form.url}?session=ended&key={key}")
    assert page.status == 200
    assert 'name="key" value="' in page.html
    assert f'name="key" value="{key}"' not in page.html


def test_looking_at_the_address_starts_nothing(form: TriggerForm, runs_api: RunsAPI) -> None:
    form.client.get(f"{form.url}?session=ended&key={form.key}&max_iterations=5")
    form.client.head(f"{form.url}?session=ended&key={form.key}&max_iterations=5")
    assert runs_api.triggered == []
    assert not TriggerAttempt.objects.exists()


def test_api_that_is_down_loses_nothing(form: TriggerForm, runs_api: RunsAPI) -> None:
    location = expired(form, max_iterations="7")
    runs_api.go_away()
    page = show(form, location)
    assert ENDED in text_of(page.html)
    assert f'name="key" value="{form.key}"' in page.html
    assert 'name="max_iterations" value="7"' in page.html


def test_a_work_order_that_cannot_be_run_any_more(form: TriggerForm, runs_api: RunsAPI) -> None:
    location = expired(form)
    runs_api.has(status="succeeded")
    text = text_of(show(form, location).html)
    assert ENDED in text
    assert "press Start Run" not in text


class TestExpiredToken:
    """The CSRF token changes when one signs in again, in another tab for example."""

    @pytest.fixture(params=KINDS)
    def form(self, request: pytest.FixtureRequest, operator_user: User) -> TriggerForm:
        client = Client(enforce_csrf_checks=True)
        client.force_login(operator_user)
        return TriggerForm(client, KINDS[request.param])

    def test_the_dialog_comes_back_as_it_was(self, form: TriggerForm, runs_api: RunsAPI) -> None:
        form.open()
        answered = form.send(csrfmiddlewaretoken="x" * 64, max_iterations="7")
        assert answered.location.startswith(f"{form.url}?session=ended&")
        page = show(form, answered.location)
        assert ENDED in text_of(page.html)
        assert f'name="key" value="{form.key}"' in page.html
        assert 'name="max_iterations" value="7"' in page.html
        assert runs_api.triggered == []

    def test_a_form_without_any_token(self, form: TriggerForm) -> None:
        assert form.send().location.startswith(f"{form.url}?session=ended&")

    def test_another_site_is_refused(self, form: TriggerForm, runs_api: RunsAPI) -> None:
        form.headers = {**form.headers, "Origin": "https://evil.example"}
        answered = form.send()
        assert (answered.status, answered.location) == (403, "")
        assert runs_api.triggered == []

    def test_any_other_form_is_refused_as_before(self, form: TriggerForm) -> None:
        assert form.client.post("/sign-out/").status_code == 403


def test_signing_out_twice_leads_to_a_page_that_exists(operator: Client, runs_api: RunsAPI) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    end_sessions()
    response = operator.post("/sign-out/")
    target = sign_in(operator, response["Location"])
    assert operator.get(target, follow=True).status_code == 200


def test_a_check_after_the_session_leads_back_to_it(form: TriggerForm, runs_api: RunsAPI) -> None:
    runs_api.triggers(api.reset)
    form.send()
    end_sessions()
    check_page = f"{form.url}{form.key}/"
    answered = Answered(form.client.post(check_page, headers=form.headers), form.client)
    assert sign_in(form.client, answered.location) == check_page


@pytest.mark.parametrize("headers", KINDS.values(), ids=KINDS)
def test_a_cancellation_after_the_session_is_asked_again(
    operator: Client, runs_api: RunsAPI, headers: dict[str, str]
) -> None:
    runs_api.has_run(status="running")
    end_sessions()
    sent = Answered(operator.post("/runs/run-1/cancel/", headers=headers), operator)
    assert sign_in(operator, sent.location) == "/runs/run-1/cancel/"
    assert runs_api.asked == []


def test_a_part_of_a_page_leads_back_to_the_page(operator: Client) -> None:
    end_sessions()
    headers = HTMX | {"HX-Current-URL": "http://testserver/work-orders/wo-1/?page=2"}
    location = operator.get("/work-orders/wo-1/trigger/", headers=headers)["HX-Redirect"]
    assert sign_in(operator, location) == "/work-orders/wo-1/?page=2"


def test_a_sign_in_link_leads_back_to_the_dialog_too(form: TriggerForm) -> None:
    """An operator without a password gets a new link at the machine."""
    end_sessions()
    form.client.get(form.send(max_iterations="7").location)
    location = form.client.post(sign_in_path(ensure_operator()))["Location"]
    assert 'value="7"' in show(form, location).html
    elsewhere = Client().post(sign_in_path(ensure_operator()))
    assert elsewhere["Location"] == "/work-orders/"


def test_a_sign_in_link_leads_to_no_other_site(client: Client, operator_user: User) -> None:
    client.get("/sign-in/", {"next": "https://elsewhere.example/"})
    assert client.post(sign_in_path(operator_user))["Location"] == "/work-orders/"


def test_sign_in_says_that_nothing_was_started(form: TriggerForm) -> None:
    end_sessions()
    page = form.client.get(form.send(max_iterations="7").location).content.decode()
    assert "Your session has ended. Nothing was started." in text_of(page)
    assert "Your session has ended." not in Client().get("/sign-in/").content.decode()
