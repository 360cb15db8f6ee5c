"""``WORKSPACE_ROOTS``: the directories that must contain the workspaces."""

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
def test_workspace_outside_the_roots_is_refused(
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


def test_link_that_leaves_the_roots_fails_the_run(
    run: Callable[[], Run], work_order: WorkOrder, settings: Settings, tmp_path: Path
) -> None:
    """A work order that was created before the roots were set is treated alike."""
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


def test_relative_root_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSPACE_ROOTS", "/srv, repos")
    with pytest.raises(ImproperlyConfigured, match="WORKSPACE_ROOTS holds 'repos'"):
        env.directories("WORKSPACE_ROOTS")
