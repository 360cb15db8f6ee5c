"""Idempotency keys: a repeated trigger gives the same run and the same response."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from tests.embedded.conftest import Api
from workorders.embedded.models import Run, Status, Worker, WorkOrder
from workorders.embedded.transitions import claim_next, finish
from workorders.embedded.triggering import KEY_LIFE

KEY = {"Idempotency-Key": "one opened dialog"}


def runs(work_order: WorkOrder) -> str:
    return f"/work-orders/{work_order.pk}/runs"


def without_request_id(response: Any) -> Any:
    return {name: value for name, value in response.json().items() if name != "requestId"}


def test_same_key_gives_the_same_run(api: Api, work_order: WorkOrder, free_worker: Worker) -> None:
    first = api.post(runs(work_order), headers=KEY)
    again = api.post(runs(work_order), headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert without_request_id(again) == without_request_id(first)
    assert Run.objects.count() == 1


def test_repeated_response_is_marked(api: Api, work_order: WorkOrder) -> None:
    first = api.post(runs(work_order), headers=KEY)
    again = api.post(runs(work_order), headers=KEY)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_repeated_response_is_that_of_the_first_request(api: Api, work_order: WorkOrder) -> None:
    first = api.post(runs(work_order), headers=KEY)
    run = claim_next("w")
    assert run
    assert without_request_id(api.post(runs(work_order), headers=KEY)) == without_request_id(first)
    finish(run, "w", Status.SUCCEEDED)
    again = api.post(runs(work_order), headers=KEY)
    assert again.status_code == 202
    assert without_request_id(again) == without_request_id(first)


def test_same_key_with_another_body_is_refused(api: Api, work_order: WorkOrder) -> None:
    api.post(runs(work_order), headers=KEY)
    response = api.post(runs(work_order), {"profileName": "careful"}, headers=KEY)
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert Run.objects.count() == 1


def test_same_key_for_another_work_order_is_refused(
    api: Api, make_work_order: Callable[..., WorkOrder]
) -> None:
    api.post(runs(make_work_order()), headers=KEY)
    assert api.post(runs(make_work_order()), headers=KEY).status_code == 422


def test_order_of_the_members_of_a_body_does_not_matter(api: Api, work_order: WorkOrder) -> None:
    loop = {"loopStrategy": {"maxIterations": 5}}
    api.post(runs(work_order), {"profileOverrides": loop, "profileName": "careful"}, headers=KEY)
    body = {"profileName": "careful", "profileOverrides": loop}
    assert api.post(runs(work_order), body, headers=KEY).status_code == 202


def test_another_key_gives_another_run(api: Api, work_order: WorkOrder) -> None:
    for key in ("a", "b"):
        api.post(runs(work_order), headers={"Idempotency-Key": key})
    assert Run.objects.count() == 2


def test_refused_request_does_not_use_its_key_up(api: Api, work_order: WorkOrder) -> None:
    assert api.post(runs(work_order), {"profileName": "no"}, headers=KEY).status_code == 400
    assert api.post(runs(work_order), headers=KEY).status_code == 202


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tinside"])
def test_malformed_key_is_refused(api: Api, work_order: WorkOrder, key: str) -> None:
    response = api.post(runs(work_order), headers={"Idempotency-Key": key})
    assert response.status_code == 400
    assert response.json()["error"]["details"]["errors"][0]["path"] == ["Idempotency-Key"]
    assert not Run.objects.exists()


@pytest.fixture
def age(work_order: WorkOrder) -> Callable[[timedelta], None]:
    """A function that makes all runs older by a time span."""

    def age(by: timedelta) -> None:
        Run.objects.update(queued_at=F("queued_at") - by)

    return age


def test_key_is_valid_for_a_day(
    api: Api, work_order: WorkOrder, age: Callable[[timedelta], None]
) -> None:
    api.post(runs(work_order), headers=KEY)
    age(timedelta(hours=23))
    assert "Idempotency-Replayed" in api.post(runs(work_order), headers=KEY).headers
    assert Run.objects.count() == 1


def test_expired_key_can_be_used_again(
    api: Api, work_order: WorkOrder, age: Callable[[timedelta], None]
) -> None:
    api.post(runs(work_order), headers=KEY)
    age(KEY_LIFE)
    body = {"profileName": "careful"}
    assert "Idempotency-Replayed" not in api.post(runs(work_order), body, headers=KEY).headers
    assert "Idempotency-Replayed" in api.post(runs(work_order), body, headers=KEY).headers
    assert sorted(Run.objects.values_list("number", "profile_name")) == [
        (1, "default"),
        (2, "careful"),
    ]


def test_refused_request_does_not_take_an_expired_key_from_its_run(
    api: Api, work_order: WorkOrder, age: Callable[[timedelta], None]
) -> None:
    api.post(runs(work_order), headers=KEY)
    age(KEY_LIFE)
    assert api.post(runs(work_order), {"profileName": "no"}, headers=KEY).status_code == 400
    assert Run.objects.get().idempotency_key == KEY["Idempotency-Key"]


@pytest.mark.parametrize(
    ("plain", "quoted"), [("a-key", '"a-key"'), ('odd "\\ key', '"odd \\"\\\\ key"')]
)
def test_key_in_quotes_is_the_same_key(
    api: Api, work_order: WorkOrder, plain: str, quoted: str
) -> None:
    """The quoted form is that of draft-ietf-httpapi-idempotency-key-header."""
    for key in (plain, quoted):
        api.post(runs(work_order), headers={"Idempotency-Key": key})
    assert Run.objects.get().idempotency_key == plain


@pytest.mark.parametrize("key", ['""', '"', '"open', 'two" parts"'])
def test_malformed_quoted_string_is_used_literally(
    api: Api, work_order: WorkOrder, key: str
) -> None:
    api.post(runs(work_order), headers={"Idempotency-Key": key})
    assert Run.objects.get().idempotency_key == key
