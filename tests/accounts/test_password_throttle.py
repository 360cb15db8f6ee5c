"""The throttle of password sign-in: nobody can guess a password by trying many."""

from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import BasePasswordHasher, get_hasher
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from workorders.accounts.models import PasswordThrottle
from workorders.accounts.users import ensure_operator

RIGHT = "correct horse"


@pytest.fixture(autouse=True)
def _password(db: None) -> None:
    user = ensure_operator()
    user.set_password(RIGHT)
    user.save()


def sign_in(password: str, name: str = "operator", address: str = "192.0.2.7") -> HttpResponse:
    typed = {"username": name, "password": password}
    response: Any = Client(REMOTE_ADDR=address).post("/sign-in/", typed)
    return response  # type: ignore[no-any-return]


def lock(**who: str) -> None:
    for _ in range(5):
        assert sign_in("wrong", **who).status_code == 200


def test_sixth_attempt_is_refused_even_with_the_right_password() -> None:
    lock()
    response = sign_in(RIGHT)
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 15 * 60
    page = response.content.decode()
    assert "Too many passwords were tried" in page
    assert 'value="operator"' in page


@pytest.mark.parametrize(
    "name", ["Operator", " operator ", " " * 150 + "operator", "\uff4fperator"]
)
def test_spellings_of_one_name_share_their_attempts(name: str) -> None:
    """The sign-in form accepts all of these spellings but the first as the account's name."""
    lock()
    assert sign_in(RIGHT, name=name).status_code == 429


def test_number_of_throttle_rows_is_bounded_for_made_up_names() -> None:
    for number in range(55):
        sign_in("wrong", name=f"name-{number}")
    assert PasswordThrottle.objects.count() == 1 + 2 * 50


def test_lock_spares_other_names_and_other_addresses() -> None:
    lock()
    assert sign_in("wrong", name="kim").status_code == 200
    assert sign_in(RIGHT, address="192.0.2.8").status_code == 302


def test_lock_ends() -> None:
    lock()
    PasswordThrottle.objects.update(ends_at=timezone.now())
    assert sign_in(RIGHT).status_code == 302


def test_right_password_resets_the_count_of_wrong_ones() -> None:
    for _ in range(3):
        for _ in range(4):
            sign_in("wrong")
        assert sign_in(RIGHT).status_code == 302
    assert max(PasswordThrottle.objects.values_list("attempts", flat=True)) == 12


def test_one_address_cannot_try_every_account() -> None:
    statuses = [sign_in("wrong", name=f"name-{number}").status_code for number in range(51)]
    assert statuses == [200] * 50 + [429]


def test_one_account_cannot_be_tried_from_every_address() -> None:
    statuses = [sign_in("wrong", address=f"2001:db8:{n:x}::1").status_code for n in range(51)]
    assert statuses == [200] * 50 + [429]


def test_addresses_of_one_ipv6_network_share_their_attempts() -> None:
    for number in range(5):
        sign_in("wrong", address=f"2001:db8::{number + 1:x}")
    assert sign_in(RIGHT, address="2001:db8::ffff").status_code == 429


def test_failures_are_logged_with_name_and_address(caplog: pytest.LogCaptureFixture) -> None:
    lock()
    for _ in range(3):
        sign_in("wrong")
    found = [r for r in caplog.records if r.name == "workorders.accounts.password_throttle"]
    assert {(r.levelname, r.account, r.address) for r in found} == {  # type: ignore[attr-defined]
        ("WARNING", "operator", "192.0.2.7")
    }
    locked = [record for record in found if "locked until" in record.message]
    assert (len(found), len(locked)) == (6, 1)
    assert "wrong" not in "".join(record.message.partition("password")[2] for record in found)


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("10.0.0.1", "203.0.113.9, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.1", "made up", "10.0.0.1"),
        ("192.0.2.7", "203.0.113.9", "192.0.2.7"),  # not a trusted proxy: its header is ignored
        ("::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7:49152, [2001:db8::1]:80", "2001:db8::1"),
        ("10.0.0.1", "203.0.113.9, 192.0.2.7:49152", "192.0.2.7"),
    ],
)
def test_client_address_is_found_behind_trusted_proxies(
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    peer: str,
    forwarded: str,
    counted: str,
) -> None:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    typed = {"username": "operator", "password": "wrong"}
    Client(REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded).post("/sign-in/", typed)
    assert f"address {counted}" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_simultaneous_attempts_do_not_exceed_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together, tried = Barrier(12), []
    hasher: type[BasePasswordHasher] = type(get_hasher())
    verify = hasher.verify

    def count(*given: Any) -> bool:
        tried.append(given[1])
        return verify(*given)

    monkeypatch.setattr(hasher, "verify", count)

    def attempt(number: int) -> int:
        together.wait()
        try:
            return sign_in(f"wrong-{number}").status_code
        finally:
            connections.close_all()  # Django opens a connection for each thread

    with ThreadPoolExecutor(12) as pool:
        statuses = sorted(pool.map(attempt, range(12)))
    assert statuses == [200] * 5 + [429] * 7
    assert len(tried) == 5
    assert get_user_model().objects.count() == 1
