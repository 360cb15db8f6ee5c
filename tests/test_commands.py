"""The management commands for the administrator of the machine."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client
from pytest_django import Settings

from tests.support import runs_api as api
from tests.support.commands import run_command
from tests.support.runs_api import RunsAPI
from workorders.attempts.permissions import TRIGGER_PERMISSION

# --- create_work_order


def test_create_work_order_prints_the_new_id(runs_api: RunsAPI, tmp_path: Path) -> None:
    runs_api.on("POST", "/work-orders", api.data({"id": "wo-9"}, status=201))
    assert (
        run_command("create_work_order", "--workspace", str(tmp_path), "Fix it, please") == "wo-9\n"
    )
    assert runs_api.asked[0].json == {
        "taskPrompt": "Fix it, please",
        "workspaceSource": {"type": "local", "path": str(tmp_path.resolve())},
    }


def test_create_work_order_sends_its_options(runs_api: RunsAPI, tmp_path: Path) -> None:
    runs_api.on("POST", "/work-orders", api.data({"id": "wo-9"}, status=201))
    options = ("--profile", "careful", "--max-iterations", "7", "--workspace", str(tmp_path))
    run_command("create_work_order", "Fix it, please", *options)
    sent = runs_api.asked[0].json
    assert (sent["profileName"], sent["maxIterations"]) == ("careful", 7)


def test_create_work_order_resolves_a_relative_workspace(
    runs_api: RunsAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs_api.on("POST", "/work-orders", api.data({"id": "wo-9"}, status=201))
    run_command("create_work_order", "--workspace", ".", "Fix it, please")
    assert runs_api.asked[0].json["workspaceSource"]["path"] == str(tmp_path.resolve())


def test_create_work_order_prints_the_reason_of_a_refusal(runs_api: RunsAPI) -> None:
    errors = {"errors": [{"path": ["taskPrompt"], "message": "At least 10 characters"}]}
    reply = api.refusal(400, "BAD_REQUEST", "Invalid request body", errors)
    runs_api.on("POST", "/work-orders", reply)
    with pytest.raises(CommandError, match=r"Invalid request body.*At least 10 characters"):
        run_command("create_work_order", "--workspace", ".", "short")


def test_create_work_order_fails_while_the_api_is_down(runs_api: RunsAPI) -> None:
    runs_api.go_away()
    with pytest.raises(CommandError, match="NETWORK_ERROR"):
        run_command("create_work_order", "--workspace", ".", "Fix it, please")


# --- list_work_orders


def test_list_work_orders_prints_one_line_each(runs_api: RunsAPI) -> None:
    first = {"id": "wo-1", "taskPrompt": "Fix it\nall", "status": "failed", "runCount": 2}
    runs_api.on("GET", "/work-orders", api.items(first, {"id": "wo-2"}))
    assert [line.split() for line in run_command("list_work_orders").splitlines()] == [
        ["wo-1", "failed", "2", "Fix", "it"],
        ["wo-2", "unknown", "-"],
    ]


def test_list_work_orders_filters_by_status(runs_api: RunsAPI) -> None:
    runs_api.on("GET", "/work-orders", api.items())
    assert run_command("list_work_orders", "--status", "failed") == ""
    assert runs_api.asked[0].query["status"] == "failed"


def test_list_work_orders_reads_several_pages(runs_api: RunsAPI) -> None:
    def reply(handler: api.Handler, asked: api.Asked) -> None:
        offset, limit = int(asked.query["offset"]), int(asked.query["limit"])
        entries = [{"id": f"wo-{number}"} for number in range(offset, min(offset + limit, 250))]
        api.items(*entries, total=250)(handler, asked)

    runs_api.on("GET", "/work-orders", reply)
    listed = run_command("list_work_orders", "--limit", "130").splitlines()
    assert len(listed) == 130
    assert listed[-1].startswith("wo-129 ")


def test_list_work_orders_fails_while_the_api_is_down(runs_api: RunsAPI) -> None:
    runs_api.go_away()
    with pytest.raises(CommandError, match="NETWORK_ERROR"):
        run_command("list_work_orders")


# --- sign_in_link


def test_sign_in_link_signs_in(client: Client, db: None) -> None:
    link = run_command("sign_in_link").strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/sign-in/[\w.-]+/", link)
    client.post(link.removeprefix("http://127.0.0.1:8000"))
    assert client.session["_auth_user_id"] == str(User.objects.get(username="operator").pk)


def test_sign_in_link_has_the_configured_port(db: None, settings: Settings) -> None:
    settings.PORT = 8331
    assert run_command("sign_in_link").startswith("http://127.0.0.1:8331/sign-in/")


def test_sign_in_link_has_the_given_base_url(db: None) -> None:
    link = run_command("sign_in_link", "--base-url", "https://runs.example.com/")
    assert link.startswith("https://runs.example.com/sign-in/")


@pytest.mark.parametrize(("options", "may"), [((), True), (("--viewer",), False)])
def test_sign_in_link_creates_the_account(
    db: None,
    options: tuple[str, ...],
    may: bool,  # noqa: FBT001
) -> None:
    run_command("sign_in_link", "kim", *options)
    kim = User.objects.get(username="kim")
    assert kim.has_perm(TRIGGER_PERMISSION) is may
    assert not kim.has_usable_password()


def test_sign_in_link_keeps_existing_permissions(db: None) -> None:
    run_command("sign_in_link", "kim", "--viewer")
    run_command("sign_in_link", "kim")
    assert not User.objects.get(username="kim").has_perm(TRIGGER_PERMISSION)
