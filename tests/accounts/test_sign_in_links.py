"""Sign-in links: a link signs in the person who confirms, once. Opening the link is not enough."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from workorders.accounts.models import SignInLink
from workorders.accounts.sign_in_links import sign_in_path
from workorders.accounts.users import ensure_account, ensure_operator


def signed_in_as(client: Client) -> str:
    """The user name of the client's session; ``""`` when nobody is signed in."""
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk).username if pk else ""


def test_opening_a_link_signs_nobody_in(operator_user: User) -> None:
    """The link preview of a chat program opens the link before the person does."""
    link = sign_in_path(operator_user)
    preview, person = Client(), Client()
    for _ in range(3):
        page = preview.get(link)
    assert (page.status_code, signed_in_as(preview)) == (200, "")
    assert "Sign in as <bdi>operator</bdi>" in page.content.decode()
    assert person.post(link)["Location"] == "/work-orders/"
    assert signed_in_as(person) == "operator"


def test_link_does_not_replace_a_signed_in_person(operator: Client) -> None:
    link = sign_in_path(ensure_account("mallory", can_trigger=False))
    page = operator.get(link).content.decode()
    assert "You are signed in as <bdi>operator</bdi>." in page
    assert signed_in_as(operator) == "operator"
    forged = Client(enforce_csrf_checks=True)
    forged.cookies.update(operator.cookies)
    assert forged.post(link).status_code == 403
    assert signed_in_as(operator) == "operator"


@pytest.mark.django_db(transaction=True)
def test_only_one_of_simultaneous_uses_succeeds() -> None:
    link = sign_in_path(ensure_operator())
    together = Barrier(6)

    def use() -> bool:
        client = Client()
        together.wait()
        try:
            client.post(link)
            return bool(signed_in_as(client))
        finally:
            connections.close_all()  # Django opens a connection for each thread

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(use) for _ in range(6)]
    assert sum(future.result() for future in futures) == 1


@pytest.mark.django_db(transaction=True)
def test_use_that_waits_for_a_concurrent_use_finds_the_link_used() -> None:
    """The row is locked at first. PostgreSQL checks the condition again once the lock is gone."""
    link = sign_in_path(ensure_operator())
    late = Client()

    def use() -> None:
        try:
            late.post(link)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            SignInLink.objects.update(used_at=timezone.now())
            waiting = pool.submit(use)
            wait([waiting], timeout=1)
        waiting.result()
    assert not signed_in_as(late)


def test_link_is_valid_for_fifteen_minutes(operator_user: User) -> None:
    link = sign_in_path(operator_user)
    (row,) = SignInLink.objects.all()
    left = row.expires_at - timezone.now()
    assert dt.timedelta(minutes=14) < left <= dt.timedelta(minutes=15)
    SignInLink.objects.update(expires_at=timezone.now())
    assert Client().get(link)["Location"] == "/sign-in/"
    assert Client().post(link)["Location"] == "/sign-in/"


def test_links_of_one_person_do_not_end_each_other(operator_user: User) -> None:
    """A person may sign in on a phone and at a desk."""
    links = [sign_in_path(operator_user) for _ in range(2)]
    clients = [Client() for _ in links]
    for client, link in zip(clients, links, strict=True):
        client.post(link)
    assert [signed_in_as(client) for client in clients] == ["operator", "operator"]


def test_token_is_not_stored(operator_user: User) -> None:
    token = sign_in_path(operator_user).strip("/").rpartition("/")[2]
    assert token not in str(list(SignInLink.objects.values()))
