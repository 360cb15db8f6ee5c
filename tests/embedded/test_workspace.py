"""Every run works in a copy of its work order's workspace."""

import os
from collections.abc import Callable
from pathlib import Path

from pytest_django import Settings

from workorders.embedded.models import Run, WorkOrder

type SetProfile = Callable[..., None]
type Execute = Callable[..., Run]


def test_the_original_workspace_stays_as_it_is(
    run: Execute, set_profile: SetProfile, workspace: Path
) -> None:
    set_profile(agent="echo changed > README; touch new")
    assert run().status == "succeeded"
    assert (workspace / "README").read_text() == "a workspace\n"
    assert not (workspace / "new").exists()


def test_the_copy_has_git_and_symlinks_as_they_are(
    run: Execute, set_profile: SetProfile, workspace: Path, settings: Settings
) -> None:
    (workspace / ".git").mkdir()
    (workspace / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (workspace / "link").symlink_to("/nowhere/at/all")
    os.mkfifo(workspace / "pipe")
    set_profile(agent="test -f .git/HEAD && test -L link && test ! -e pipe")
    ended = run()
    assert ended.status == "succeeded"
    assert (settings.WORKSPACES_DIR / ended.pk / "README").exists()


def test_a_workspace_around_the_products_own_data(
    run: Execute, work_order: WorkOrder, settings: Settings
) -> None:
    work_order.workspace_path = str(settings.DATA_DIR.parent)
    work_order.save()
    ended = run()
    assert ended.status == "succeeded"
    copy = settings.WORKSPACES_DIR / ended.pk
    assert (copy / "repository" / "README").exists()
    assert not (copy / settings.DATA_DIR.name).exists()


def test_a_missing_workspace(run: Execute, work_order: WorkOrder) -> None:
    work_order.workspace_path = "/nowhere/at/all"
    work_order.save()
    ended = run()
    assert (ended.status, ended.error) == ("failed", "Workspace not found: /nowhere/at/all")
    assert ended.iteration_count == 0


def test_only_the_newest_workspaces_are_kept(run: Execute, settings: Settings) -> None:
    settings.WORKSPACES_KEPT = 1
    WorkOrder.objects.update(status="queued")
    first = run()
    WorkOrder.objects.update(status="queued")
    second = run()
    assert [path.name for path in settings.WORKSPACES_DIR.iterdir()] == [second.pk]
    assert first.pk != second.pk
