"""``WORKSPACE_ROOTS``: where workspaces may lie."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from dashboard import env
from tests.embedded.conftest import Api
from workorders.embedded.models import Run, WorkOrder

PROMPT = "Fix the login form"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/srv/repos", 201),
        ("/srv/repos/shop", 201),
        ("/mnt/work/x", 201),
        ("/srv/repos-of-others", 400),
        ("/srv/repos/../secrets", 400),
        ("/srv", 400),
        ("/", 400),
    ],
)
def test_a_work_order_elsewhere_is_refused(
    api: Api, settings: Settings, path: str, status: int
) -> None:
    settings.WORKSPACE_ROOTS = [Path("/srv/repos"), Path("/mnt/work")]
    body = {"taskPrompt": PROMPT, "workspaceSource": {"type": "local", "path": path}}
    response = api.post("/work-orders", body)
    assert response.status_code == status
    if status == 400:
        (fault,) = response.json()["error"]["details"]["errors"]
        assert fault["path"] == ["workspaceSource", "path"]
        assert fault["message"] == (
            "Workspace path must be below /srv/repos or /mnt/work (WORKSPACE_ROOTS)"
        )


def test_a_link_out_of_the_roots_is_found_when_the_run_starts(
    run: Callable[[], Run], work_order: WorkOrder, settings: Settings, tmp_path: Path
) -> None:
    """So is a work order that was created before there were roots."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(work_order.workspace_path)
    settings.WORKSPACE_ROOTS = [root]
    work_order.workspace_path = str(root / "link")
    work_order.save()
    ended = run()
    assert ended.error == (
        f"The workspace {root}/link is not below {root}, "
        "where workspaces must be (WORKSPACE_ROOTS)."
    )
    assert not list(settings.WORKSPACES_DIR.glob("run-*"))


def test_roots_themselves_may_be_links(
    run: Callable[[], Run], work_order: WorkOrder, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "alias").symlink_to(tmp_path)
    settings.WORKSPACE_ROOTS = [tmp_path / "alias"]
    assert run().status == "succeeded"


def test_roots_are_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSPACE_ROOTS", "/srv, repos")
    with pytest.raises(ImproperlyConfigured, match="WORKSPACE_ROOTS holds 'repos'"):
        env.directories("WORKSPACE_ROOTS")
