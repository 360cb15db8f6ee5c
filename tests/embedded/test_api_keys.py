"""Named API keys for scripts: each has a name, which runs show, and an enforced scope."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError

from tests.embedded.conftest import Api
from tests.support.commands import run_command
from workorders.embedded.models import APIKey, Run, WorkOrder


def create(name: str, scope: str) -> Api:
    return Api(run_command("create_api_key", name, "--scope", scope).strip())


def test_scope_limits_what_a_key_may_do(
    db: None, make_work_order: Callable[..., WorkOrder]
) -> None:
    order = make_work_order()
    runs = f"/work-orders/{order.pk}/runs"
    new = {"taskPrompt": "Fix all of it", "workspaceSource": {"type": "local", "path": "/x"}}
    statuses = {}
    for scope in ("read", "trigger", "all"):
        api = create(f"the-{scope}-key", scope)
        triggered = api.post(runs).status_code
        newest = Run.objects.order_by("-queued_at").values_list("pk", flat=True).first()
        statuses[scope] = [
            api.get("/runs").status_code,
            triggered,
            api.post(f"/runs/{newest}/cancel").status_code,
            api.post("/work-orders", new).status_code,
            api.post("/nowhere").status_code,
            api.http.put("/runs").status_code,
        ]
    assert statuses == {
        "read": [200, 403, 403, 403, 404, 405],
        "trigger": [200, 202, 202, 403, 404, 405],
        "all": [200, 202, 202, 201, 404, 405],
    }


def test_refusal_names_the_key_and_the_scope(db: None) -> None:
    error = create("nightly", "read").post("/work-orders/x/runs").json()["error"]
    assert error["code"] == "FORBIDDEN"
    assert "'nightly' has scope 'read', not 'trigger'" in error["message"]


def test_run_shows_which_key_started_it(
    api: Api, db: None, make_work_order: Callable[..., WorkOrder]
) -> None:
    names = []
    for caller in (create("nightly", "trigger"), api):
        body = caller.post(f"/work-orders/{make_work_order().pk}/runs").json()
        run_id = (body.get("data") or body["error"]["details"])["runId"]
        listed = {run["id"]: run["triggeredBy"] for run in api.data("/runs")["items"]}
        names.append((listed[run_id], api.data(f"/runs/{run_id}")["triggeredBy"]))
    assert names == [("nightly", "nightly"), (None, None)]


def test_revoked_key_is_refused(db: None) -> None:
    nightly, other = create("nightly", "all"), create("other", "all")
    run_command("revoke_api_key", "nightly")
    assert (nightly.get("/runs").status_code, other.get("/runs").status_code) == (401, 200)
    with pytest.raises(CommandError):
        run_command("revoke_api_key", "nightly")
    with pytest.raises(CommandError):  # else its runs would seem to be the new key's
        create("nightly", "read")


def test_keys_are_listed_by_name_and_not_stored(db: None) -> None:
    key = run_command("create_api_key", "nightly").strip()
    run_command("create_api_key", "deploy", "--scope", "all")
    run_command("revoke_api_key", "deploy")
    listed = run_command("list_api_keys")
    assert [line.split()[:2] for line in listed.splitlines()] == [
        ["deploy", "all"],
        ["nightly", "read"],
    ]
    assert "revoked" in listed.splitlines()[0]
    assert key not in listed + str(list(APIKey.objects.values()))


@pytest.mark.parametrize("name", ["", "two words", "ü", "x" * 65])
def test_malformed_name_is_refused(db: None, name: str) -> None:
    with pytest.raises(CommandError):
        create(name, "read")


@pytest.mark.parametrize("key", ["-", "runs_", "runs_" + "x" * 43])
def test_unknown_key_is_refused(db: None, key: str) -> None:
    assert Api(key).get("/runs").status_code == 401
