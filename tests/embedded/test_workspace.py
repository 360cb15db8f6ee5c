"""Every run works in a copy of its work order's workspace."""

import errno
import fcntl
import os
import tempfile
from functools import partial
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.embedded.conftest import Execute, SetProfile, log_of
from tests.support.workspace_shapes import environment, git, repository
from workorders.embedded.models import WorkOrder
from workorders.embedded.worker.process import Interrupted
from workorders.embedded.worker.workspace import (
    WorkspaceError,
    copy_workspace,
    remove_tree,
)
from workorders.embedded.worker.workspace.relocation import Relocation


def test_original_workspace_is_not_changed(
    run: Execute, set_profile: SetProfile, workspace: Path
) -> None:
    set_profile(agent="echo changed > README; touch new")
    assert run().status == "succeeded"
    assert (workspace / "README").read_text() == "a workspace\n"
    assert not (workspace / "new").exists()


def test_copy_has_git_directory_and_symlinks_unchanged(
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


def test_copy_omits_the_data_directory_of_the_product(
    run: Execute,
    work_order: WorkOrder,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings.WORKSPACES_DIR = tmp_path_factory.mktemp("copies")
    work_order.workspace_path = str(settings.DATA_DIR.parent)
    work_order.save()
    ended = run()
    assert ended.status == "succeeded"
    copy = settings.WORKSPACES_DIR / ended.pk
    assert (copy / "repository" / "README").exists()
    assert not (copy / settings.DATA_DIR.name).exists()


def test_missing_workspace_fails_the_run(run: Execute, work_order: WorkOrder) -> None:
    work_order.workspace_path = "/nowhere/at/all"
    work_order.save()
    ended = run()
    assert (ended.status, ended.error) == ("failed", "Workspace not found: /nowhere/at/all")
    assert ended.iteration_count == 0


def test_only_the_newest_copies_are_kept(run: Execute, settings: Settings) -> None:
    settings.WORKSPACES_KEPT = 1
    WorkOrder.objects.update(status="queued")
    first = run()
    WorkOrder.objects.update(status="queued")
    second = run()
    copies = [path.name for path in settings.WORKSPACES_DIR.iterdir() if path.is_dir()]
    assert copies == [second.pk]
    assert first.pk != second.pk


def test_copies_in_a_former_directory_are_removed_too(
    run: Execute, settings: Settings, tmp_path: Path
) -> None:
    first = run()
    settings.FORMER_WORKSPACES_DIRS = (settings.WORKSPACES_DIR,)
    settings.WORKSPACES_DIR = tmp_path / "copies"
    settings.WORKSPACES_KEPT = 1
    WorkOrder.objects.update(status="queued")
    second = run()
    assert not (settings.FORMER_WORKSPACES_DIRS[0] / first.pk).exists()
    assert (tmp_path / "copies" / second.pk).exists()


@pytest.mark.parametrize("place", ["around the copies", "the copies", "the data", "by a link"])
def test_workspace_that_would_contain_its_own_copy_is_refused(
    run: Execute, work_order: WorkOrder, settings: Settings, tmp_path: Path, place: str
) -> None:
    settings.WORKSPACES_DIR = tmp_path / "code" / "copies"
    settings.WORKSPACES_DIR.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "code")
    work_order.workspace_path = {
        "around the copies": str(tmp_path / "code"),
        "the copies": str(settings.WORKSPACES_DIR),
        "the data": str(settings.DATA_DIR),
        "by a link": str(tmp_path / "link"),
    }[place]
    work_order.save()
    ended = run()
    assert ended.status == "failed"
    assert ended.error.startswith("The workspace ")
    assert not list(settings.WORKSPACES_DIR.iterdir())


def test_git_variables_of_the_worker_are_not_inherited(
    run: Execute, set_profile: SetProfile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository(tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    set_profile(agent="! git rev-parse --git-dir", verify="! git status")
    assert run().status == "succeeded"


def test_log_warns_of_a_project_above_the_copy(
    run: Execute, settings: Settings, tmp_path: Path
) -> None:
    marker = tmp_path / "pyproject.toml"
    assert str(marker) not in log_of(run())
    marker.touch()
    WorkOrder.objects.update(status="queued")
    assert f"Tools that walk up from the copy find {marker}" in log_of(run())


def test_external_environment_with_the_original_installed_is_refused(
    run: Execute, workspace: Path, tmp_path: Path
) -> None:
    packages = environment(tmp_path / "environments" / "shop")
    (packages / "shop.pth").write_text(f"{workspace}/src\n")
    (workspace / ".venv").symlink_to(tmp_path / "environments" / "shop")
    ended = run()
    assert ended.status == "failed"
    assert "tests of the copy would test the original" in ended.error


def test_history_shared_with_another_directory_is_refused(run: Execute, workspace: Path) -> None:
    (workspace / ".hg").mkdir()
    (workspace / ".hg" / "sharedpath").write_text("/elsewhere/.hg\n")
    ended = run()
    assert ended.status == "failed"
    assert "Use a clone as the workspace." in ended.error


def test_python_scripts_work_below_a_long_path(
    run: Execute, set_profile: SetProfile, workspace: Path, settings: Settings, tmp_path: Path
) -> None:
    """A kernel reads only the first bytes of a script's first line."""
    settings.WORKSPACES_DIR = tmp_path / ("long" * 40) / ("longer" * 30)
    environment(workspace / ".venv")
    tool = workspace / ".venv" / "bin" / "tool"
    tool.write_text(f"#!{workspace}/.venv/bin/python -I\nimport sys; print(sys.prefix, sys.argv)\n")
    tool.chmod(0o755)
    set_profile(
        agent="""test "$(.venv/bin/tool 'a b')" = "$PWD/.venv ['.venv/bin/tool', 'a b']" """
    )
    ended = run()
    assert ended.status == "succeeded", log_of(ended)


def test_other_scripts_below_a_long_path_fail_the_run(
    run: Execute, workspace: Path, settings: Settings, tmp_path: Path
) -> None:
    settings.WORKSPACES_DIR = tmp_path / ("long" * 40) / ("longer" * 30)
    (workspace / "tool").write_text(f"#!{workspace}/bin/ruby\n")
    ended = run()
    assert ended.status == "failed"
    assert ended.error.startswith("The first line of tool would be too long")


def test_commits_contain_the_path_of_the_original(
    run: Execute, set_profile: SetProfile, workspace: Path, settings: Settings
) -> None:
    """A tracked file has the copy's path in the copy, and is committed with the original path."""
    text = f"cd {workspace}/src\ncd {workspace}-old {workspace}.git\n"
    repository(workspace, **{"od*d 'name": text})
    set_profile(
        agent='test -z "$(git status --short)" && rm README'
        ' && for name in od*; do echo more >> "$name"; done'
        " && git -c user.name=A -c user.email=a@example.com commit --quiet -am Changed"
        ' && git checkout --quiet . && grep -q "cd $PWD/src" od*'
        " && grep -q /repository-old od*"
    )
    ended = run()
    assert ended.status == "succeeded", log_of(ended)
    committed = git(settings.WORKSPACES_DIR / ended.pk, "show", "HEAD:od*d 'name")
    assert committed == f"{text}more\n"


def test_short_path_is_rewritten_only_in_files_that_tools_write(tmp_path: Path) -> None:
    relocation = Relocation(Path("/app"), tmp_path / "copy")
    code = b'redirect("/app/login")'
    assert relocation.rewritten(code, "src/views.py") == code
    assert relocation.left_unchanged == ["src/views.py"]
    assert relocation.rewritten(b"/app/src\n", "x.pth") == f"{tmp_path}/copy/src\n".encode()
    script = relocation.rewritten(b"#!/app/.venv/bin/python\n", "bin/tool")
    assert script == f"#!{tmp_path}/copy/.venv/bin/python\n".encode()


def test_copy_can_be_interrupted_within_a_large_file(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, installation: Path
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no reflinks")

    def check_stop() -> None:
        if copies := list(installation.glob("workspaces/run-x/image")):
            assert copies[0].stat().st_size == size
            assert copies[0].stat().st_blocks * 512 < size
            raise Interrupted

    size = 20_000_000
    (workspace / "README").unlink()
    (workspace / "image").write_bytes(bytes(size))
    monkeypatch.setattr(fcntl, "ioctl", refuse)
    with pytest.raises(Interrupted):
        copy_workspace(workspace, "run-x", check_stop)
    assert not (installation / "workspaces/run-x").exists(), "half a copy was left"


def test_unreadable_file_is_named(settings: Settings) -> None:
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        place.chmod(0o755)
        (place / "code").mkdir()
        file = place / "code" / os.fsdecode(b"secret-\xff\n")
        file.touch(0o000)
        settings.WORKSPACES_DIR = place / "copies"
        (place / "copies").mkdir()
        (place / "copies").chmod(0o777)
        user = os.geteuid()
        if user == 0:  # root can read every file
            os.seteuid(65_534)
        try:
            with pytest.raises(WorkspaceError) as refusal:
                copy_workspace(place / "code", "run-x", lambda: None)
        finally:
            os.seteuid(user)
    message = str(refusal.value)
    assert message.endswith("secret-\ufffd\\n: Permission denied")
    assert message.encode()


def test_deep_tree_is_copied_and_removed(
    workspace: Path, settings: Settings, request: pytest.FixtureRequest
) -> None:
    # Pytest cannot remove such a tree, and would try and fail in every later run.
    for tree in (workspace, settings.WORKSPACES_DIR / "run-x"):
        request.addfinalizer(partial(remove_tree, tree))
    here = os.open(workspace, os.O_RDONLY)
    for _ in range(1_100):
        os.mkdir("d", dir_fd=here)
        here, above = os.open("d", os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(os.open("bottom", os.O_CREAT, dir_fd=here))
    os.close(here)
    copy = copy_workspace(workspace, "run-x", lambda: None).path
    assert sum("bottom" in files for _, _, files in os.walk(copy)) == 1
    for path in (copy, workspace):
        remove_tree(path)
        assert not path.exists()
