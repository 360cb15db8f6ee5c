"""Sign-in by the headers of a trusted proxy. The same headers from anybody else are ignored."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from workorders.accounts.models import Session
from workorders.accounts.users import ensure_operator
from workorders.attempts.permissions import TRIGGER_PERMISSION

PAGE = "/preferences/"
PROXY = "10.1.2.3"


@pytest.fixture
def browser(db: None, settings: Settings) -> Client:
    """A browser behind the proxy."""
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    settings.TRUSTED_USER_HEADER = "X-Forwarded-User"
    settings.TRUSTED_GROUPS_HEADER = "X-Forwarded-Groups"
    settings.OPERATOR_GROUPS = frozenset({"platform"})
    settings.VIEWER_GROUPS = frozenset({"staff"})
    return Client(REMOTE_ADDR=PROXY)


def visit(client: Client, name: str = "", groups: str = "staff", **extra: str) -> Any:
    headers = {"X-Forwarded-User": name, "X-Forwarded-Groups": groups} if name else {}
    return client.get("/runs-api/", headers=headers, **extra)  # type: ignore[arg-type]


def person(response: Any) -> str:
    """The user name that the page was served to; ``""`` when it redirected to the sign-in page."""
    if response.status_code == 302:
        assert response["Location"].startswith("/sign-in/")
        return ""
    assert response.status_code == 200
    return str(response.wsgi_request.user.username)


def test_headers_of_the_proxy_set_user_and_role(browser: Client) -> None:
    response = visit(browser, "alice", "staff,platform")
    assert person(response) == "alice"
    assert response.wsgi_request.user.has_perm(TRIGGER_PERMISSION)
    assert person(visit(browser, "alice", "staff,platform")) == "alice"
    assert Session.objects.count() == 1


def test_session_follows_the_headers_of_the_proxy(browser: Client) -> None:
    visit(browser, "alice", "platform")
    demoted = visit(browser, "alice", "staff")
    assert not demoted.wsgi_request.user.has_perm(TRIGGER_PERMISSION)
    assert person(visit(browser, "kim")) == "kim"
    assert visit(browser, "kim", "guests").status_code == 403
    assert person(visit(browser)) == ""


@pytest.mark.parametrize("address", ["192.0.2.7", "", "11.0.0.1"])
def test_headers_from_other_addresses_are_ignored(browser: Client, address: str) -> None:
    assert person(visit(browser, "alice", REMOTE_ADDR=address)) == ""
    forwarded = {"HTTP_X_FORWARDED_FOR": PROXY, "REMOTE_ADDR": address}
    assert person(visit(browser, "alice", **forwarded)) == ""


def test_session_made_by_the_proxy_ends_without_the_proxy(browser: Client) -> None:
    visit(browser, "alice")
    assert person(visit(browser, REMOTE_ADDR="192.0.2.7")) == ""


@pytest.mark.parametrize("name", ["alice,operator", "a\tb", "x" * 200])
def test_malformed_user_name_is_not_accepted(browser: Client, name: str) -> None:
    assert person(visit(browser, name)) == ""


def test_user_header_is_ignored_by_default(db: None) -> None:
    assert person(visit(Client(REMOTE_ADDR="127.0.0.1"), "alice")) == ""


def test_session_of_a_sign_in_link_works_without_the_proxy(browser: Client) -> None:
    """A person at the machine itself reaches the dashboard without the proxy."""
    browser.force_login(ensure_operator())
    assert person(visit(browser, REMOTE_ADDR="127.0.0.1")) == "operator"
