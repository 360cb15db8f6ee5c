"""Single sign-on with a real OpenID Connect provider that runs on this machine."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client
from joserfc.jwk import RSAKey
from oidc_provider_mock import run_server_in_thread  # type: ignore[import-untyped]
from pytest_django import Settings

from workorders.accounts import provider, users
from workorders.accounts.models import Session
from workorders.accounts.users import ensure_account
from workorders.attempts.permissions import TRIGGER_PERMISSION


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(autouse=True)
def _setup(db: None, issuer: str, settings: Settings) -> Iterator[None]:
    settings.OIDC_ISSUER = issuer
    settings.OIDC_CLIENT_ID = "dashboard"
    settings.OIDC_CLIENT_SECRET = "of-the-dashboard"
    settings.OPERATOR_GROUPS = frozenset({"platform"})
    settings.VIEWER_GROUPS = frozenset({"staff"})
    provider._client.cache_clear()
    yield
    provider._client.cache_clear()


def add_provider_user(issuer: str, subject: str, **claims: Any) -> None:
    """Add a user to the provider; ``claims`` go into the ID token."""
    httpx.put(f"{issuer}/users/{subject}", json=claims, trust_env=False).raise_for_status()


def start_sign_in(client: Client) -> str:
    """Press the sign-in button and return the address at the provider that it redirects to."""
    assert "Sign in with localhost" in client.get("/sign-in/").content.decode()
    return client.get("/single-sign-on/")["Location"]


def approve(address: str, subject: str, **data: str) -> str:
    """Sign in at the provider and return the callback path that it redirects to."""
    response = httpx.post(address, data={"sub": subject, **data}, trust_env=False)
    assert response.status_code == 302
    return response.headers["location"].removeprefix("http://testserver")


def sign_in(subject: str) -> Any:
    client = Client()
    return client, client.get(approve(start_sign_in(client), subject), follow=True)


def test_groups_make_an_operator_or_a_viewer(issuer: str) -> None:
    add_provider_user(issuer, "7", preferred_username="alice", groups=["staff", "platform"])
    add_provider_user(issuer, "8", preferred_username="kim", groups=["staff"])
    for subject, name, may_trigger in (("7", "alice", True), ("8", "kim", False)):
        _, page = sign_in(subject)
        assert (page.status_code, page.wsgi_request.user.username) == (200, name)
        assert page.wsgi_request.user.has_perm(TRIGGER_PERMISSION) is may_trigger
        assert not page.wsgi_request.user.has_usable_password()


def test_changed_groups_change_the_role_at_the_next_sign_in(issuer: str) -> None:
    for groups in (["platform"], ["staff"], ["platform"]):
        add_provider_user(issuer, "7", preferred_username="alice", groups=groups)
        _, page = sign_in("7")
        may_trigger = page.wsgi_request.user.has_perm(TRIGGER_PERMISSION)
        assert may_trigger is (groups == ["platform"])
    assert User.objects.count() == 1


@pytest.mark.parametrize("closed", [True, False], ids=["closed account", "no group"])
def test_person_without_access_sees_the_reason(issuer: str, *, closed: bool) -> None:
    add_provider_user(
        issuer, "9", preferred_username="mallory", groups=["platform"] if closed else ["guests"]
    )
    if closed:
        sign_in("9")
        User.objects.update(is_active=False)
        Session.objects.all().delete()
    client, page = sign_in("9")
    assert page.status_code == 403
    assert "Your account may not use this dashboard." in page.content.decode()
    assert "_auth_user_id" not in client.session


def test_taken_name_does_not_give_access_to_its_account(issuer: str) -> None:
    ensure_account("operator", can_trigger=True)
    add_provider_user(issuer, "10", preferred_username="Operator", groups=["staff"])
    _, page = sign_in("10")
    assert page.wsgi_request.user.username == "Operator-2"
    assert not page.wsgi_request.user.has_perm(TRIGGER_PERMISSION)


def test_name_taken_during_sign_in_does_not_give_access_to_its_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = users._free_name

    def free_until_now(name: str) -> str:
        found = free(name)
        if not User.objects.exists():
            ensure_account(found, can_trigger=True)
        return found

    monkeypatch.setattr(users, "_free_name", free_until_now)
    user = users.account_of_subject("https://login.example.com", "11", "alice")
    assert user.username == "alice-2"
    assert not user.has_perm(TRIGGER_PERMISSION)
    assert not user.has_usable_password()


def test_sign_in_returns_to_the_requested_page(issuer: str) -> None:
    add_provider_user(issuer, "8", preferred_username="kim", groups=["staff"])
    client = Client()
    client.get("/sign-in/?next=/preferences/")
    back = client.get(approve(start_sign_in(client), "8"))
    assert back["Location"] == "/preferences/"


def test_authorization_request_has_code_challenge_nonce_and_state(issuer: str) -> None:
    address = start_sign_in(Client())
    sent = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{issuer}/oauth2/authorize?")
    assert (sent["response_type"], sent["client_id"]) == ("code", "dashboard")
    assert sent["redirect_uri"] == "http://testserver/single-sign-on/callback/"
    assert sent["code_challenge_method"] == "S256"
    assert {"code_challenge", "nonce", "state"} <= sent.keys()


def test_visit_without_sign_in_creates_no_session_row() -> None:
    start_sign_in(Client())
    assert not Session.objects.exists()


def refused(client: Client, address: str) -> bool:
    page = client.get(address, follow=True).content.decode()
    assert "_auth_user_id" not in client.session
    return "Signing in with localhost failed." in page


def test_callback_of_another_browser_is_refused(issuer: str) -> None:
    """Login CSRF: the victim of a foreign callback address would work in another's account."""
    add_provider_user(issuer, "8", preferred_username="kim", groups=["staff"])
    address = approve(start_sign_in(Client()), "8")
    other = Client()
    assert refused(other, address)
    start_sign_in(other)
    assert refused(other, address)


def test_callback_works_once(issuer: str) -> None:
    add_provider_user(issuer, "8", preferred_username="kim", groups=["staff"])
    client = Client()
    address = approve(start_sign_in(client), "8")
    cookies = client.cookies.output()
    assert client.get(address).status_code == 302
    assert "provider_sign_in" in cookies
    client.cookies.pop("sessionid")
    assert refused(client, address)


def test_refusal_at_the_provider_signs_nobody_in(issuer: str) -> None:
    client = Client()
    assert refused(client, approve(start_sign_in(client), "8", action="deny"))


@pytest.mark.parametrize(
    ("claim", "value", "reason"),
    [
        ("aud", "another-client", "aud"),
        ("iss", "http://localhost:1", "iss"),
        ("nonce", "of another sign-in", "nonce"),
        ("exp", 1, "expired"),
    ],
)
def test_token_with_a_wrong_claim_is_refused(
    issuer: str, caplog: pytest.LogCaptureFixture, claim: str, value: str | int, reason: str
) -> None:
    """The signature of the token is valid: only the claim is wrong."""
    add_provider_user(issuer, "8", preferred_username="kim", groups=["staff"], **{claim: value})
    client = Client()
    assert refused(client, approve(start_sign_in(client), "8"))
    (failed,) = [record for record in caplog.records if "Single sign-on" in record.message]
    assert reason in failed.message


def test_token_with_a_foreign_signature_is_refused(
    issuer: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_provider_user(issuer, "8", preferred_username="kim", groups=["staff"])
    oauth_client = provider._client()
    (known,) = oauth_client.fetch_jwk_set()["keys"]
    # The other key has the key ID of the provider's own, so that only the signature differs.
    other = RSAKey.generate_key(2048, {"kid": known["kid"]}).as_dict(private=False)
    monkeypatch.setattr(oauth_client, "fetch_jwk_set", lambda **_: {"keys": [other]})
    client = Client()
    assert refused(client, approve(start_sign_in(client), "8"))
    assert "bad_signature" in caplog.text


def test_discovery_document_of_another_issuer_is_refused(
    issuer: str, caplog: pytest.LogCaptureFixture, settings: Settings
) -> None:
    settings.OIDC_ISSUER = issuer.replace("localhost", "LOCALHOST")
    assert refused(Client(), "/single-sign-on/")
    assert "names another" in caplog.text


def test_unreachable_provider_is_reported(settings: Settings) -> None:
    settings.OIDC_ISSUER = "http://localhost:9"
    assert refused(Client(), "/single-sign-on/")


def test_hanging_provider_does_not_occupy_every_thread(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as waiting:
        for _ in range(max(1, settings.WEB_THREADS // 4)):
            waiting.enter_context(provider._slots)
        assert refused(Client(), "/single-sign-on/")
    assert "wait for the provider already" in caplog.text


def test_sign_in_page_has_no_button_without_a_provider(settings: Settings) -> None:
    settings.OIDC_ISSUER = ""
    client = Client()
    assert not re.search("single-sign-on", client.get("/sign-in/").content.decode())
    for path in ("/single-sign-on/", "/single-sign-on/callback/"):
        assert client.get(path).status_code == 404
