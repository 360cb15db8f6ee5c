"""People see and end their own sessions; the administrator ends anybody's by a command."""

from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client

from tests.support.commands import run_command
from workorders.accounts.sign_in_links import sign_in_path
from workorders.accounts.users import ensure_account

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


def browser(user: User, user_agent: str = FIREFOX, address: str = "192.0.2.7") -> Client:
    """A browser in which the person has signed in."""
    client = Client(headers={"User-Agent": user_agent}, REMOTE_ADDR=address)
    client.post(sign_in_path(user))
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


class Fields(HTMLParser):
    """The values of the hidden fields ``session`` of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.values: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name") == "session":
            self.values.append(given["value"] or "")


def test_person_sees_and_ends_own_sessions(operator_user: User) -> None:
    here = browser(operator_user)
    phone = browser(operator_user, PHONE, "2001:db8::7")
    other = browser(ensure_account("kim", can_trigger=False))
    page = here.get("/account/").content.decode()
    for words in ("Firefox on Linux", "Safari on iPhone", "192.0.2.7", "2001:db8::7"):
        assert words in page
    keys = [client.session.session_key or "-" for client in (here, phone, other)]
    assert not [key for key in keys if key in page]
    # This browser's own session has no button: signing out ends it.
    (session,) = Fields(page).values
    ended = here.post("/account/sessions/end/", {"session": session}, follow=True)
    assert "The session has ended" in ended.content.decode()
    assert [is_signed_in(client) for client in (here, phone, other)] == [True, False, True]


def test_nobody_ends_a_session_of_another_person(operator_user: User) -> None:
    browser(operator_user)
    here = browser(operator_user)
    (session,) = Fields(here.get("/account/").content.decode()).values
    kim = browser(ensure_account("kim", can_trigger=False))
    kim.post("/account/sessions/end/", {"session": session})
    kim.post("/account/sessions/end/")
    assert Fields(here.get("/account/").content.decode()).values == [session]


def test_person_ends_all_other_sessions_at_once(operator_user: User) -> None:
    here, *others = [browser(operator_user) for _ in range(3)]
    here.post("/account/sessions/end/")
    assert [is_signed_in(client) for client in (here, *others)] == [True, False, False]


def test_accounts_are_listed(operator_user: User) -> None:
    ensure_account("kim", can_trigger=False)
    run_command("change_account", "kim", "--disable")
    browser(operator_user)
    assert [line.split()[:3] for line in run_command("list_accounts").splitlines()] == [
        ["kim", "disabled", "0"],
        ["operator", "operator", "1"],
    ]


def test_role_changes_take_effect_at_once(operator_user: User) -> None:
    client = browser(operator_user)
    assert "Operator: may" in client.get("/account/").content.decode()
    run_command("change_account", "operator", "--viewer")
    assert "Viewer: may" in client.get("/account/").content.decode()
    run_command("change_account", "operator", "--operator")
    assert "Operator: may" in client.get("/account/").content.decode()


@pytest.mark.parametrize("option", ["--disable", "--end-sessions"])
def test_command_ends_all_sessions_of_a_person(operator_user: User, option: str) -> None:
    clients = [browser(operator_user) for _ in range(2)]
    link = sign_in_path(operator_user)
    assert run_command("change_account", "operator", option) == "2 sessions ended\n"
    assert not any(is_signed_in(client) for client in clients)
    late = Client()
    late.post(link)
    assert not is_signed_in(late)
    run_command("change_account", "operator", "--enable")
    assert is_signed_in(browser(operator_user))
    assert not any(is_signed_in(client) for client in clients)


@pytest.mark.parametrize("arguments", [("nobody", "--viewer"), ("operator",)])
def test_change_of_nobody_or_of_nothing_is_refused(
    operator_user: User, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(CommandError):
        run_command("change_account", *arguments)
