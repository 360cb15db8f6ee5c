"""Workspaces of every shape: the copy is self-contained, and the original is not changed."""

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.embedded.conftest import Execute, SetProfile, log_of
from tests.support.workspace_shapes import GIT, SHAPES, Shape
from workorders.embedded.models import WorkOrder

VANDAL = """
import os, subprocess, sys
for directory, names, files in os.walk('.'):
    names[:] = [name for name in names if name != '.git']
    for path in (os.path.join(directory, name) for name in files if name != '.git'):
        leads_out = os.path.islink(path) and not os.path.realpath(path).startswith(os.getcwd())
        # Links that lead out are the operator's own, and named in the log.
        if os.path.isfile(path) and not (leads_out and sys.argv[1] not in os.path.realpath(path)):
            mode = os.stat(path).st_mode
            os.chmod(path, 0o600)
            open(path, 'ab').write(b'changed')
            os.chmod(path, mode)
    if '.git' in os.listdir(directory):
        for command in ('add --all', 'commit --quiet --message=Changed', 'branch made',
                        'config user.made made'):
            subprocess.run(['git', '-C', directory, *command.split()], capture_output=True)
"""


@pytest.mark.parametrize("name", SHAPES)
def test_copy_is_self_contained_and_original_unchanged(
    run: Execute,
    set_profile: SetProfile,
    work_order: WorkOrder,
    tmp_path: Path,
    settings: Settings,
    *,
    name: str,
) -> None:
    shape = SHAPES[name]
    workspace = build(shape, tmp_path)
    work_order.workspace_path = str(workspace)
    work_order.save()
    (tmp_path / "vandal.py").write_text(VANDAL)
    before = snapshot(tmp_path)
    lines = [f"export {name}={value}" for name, value in GIT.items()]
    (tmp_path / "git-env").write_text("\n".join(lines))
    set_profile(
        agent=f". {tmp_path}/git-env; {shape.check}",
        verify=f". {tmp_path}/git-env; $PYTHON {tmp_path}/vandal.py '{workspace}'",
        max_iterations=1,
    )
    ended = run()
    log = log_of(ended)
    assert (ended.status, ended.error) == ("succeeded", ""), log
    assert shape.log in log
    assert snapshot(tmp_path) == before
    assert list(leads_to(workspace, settings.WORKSPACES_DIR / ended.pk)) == []


def build(shape: Shape, tmp_path: Path) -> Path:
    workspace = tmp_path / "place" / shape.directory
    workspace.parent.mkdir(parents=True)
    (tmp_path / "place" / "elsewhere").mkdir()
    shape.build(workspace, tmp_path / "place" / "elsewhere")
    return workspace


def snapshot(tmp_path: Path) -> dict[str, object]:
    """Modes, times and contents of all files in and around the original, by path."""
    found: dict[str, object] = {}
    for directory, names, files in os.walk(tmp_path / "place"):
        for path in (Path(directory, name) for name in (*names, *files)):
            status = path.lstat()
            content: object = path.readlink() if path.is_symlink() else status.st_size
            if stat.S_ISREG(status.st_mode) and status.st_size < 1_000_000:
                content = path.read_bytes()
            found[str(path)] = (status.st_mode, status.st_mtime_ns * path.is_file(), content)
    return found


def leads_to(original: Path, copy: Path) -> Iterator[str]:
    """Links of the copy that lead to the original, and repositories outside the copy."""
    for directory, names, files in os.walk(copy):
        for path in (Path(directory, name) for name in (*names, *files)):
            if path.is_symlink() and Path(os.path.realpath(path)).is_relative_to(original):
                yield str(path)
        if ".git" in (*names, *files):
            shown = subprocess.run(
                ["git", "rev-parse", "--path-format=absolute", "--git-common-dir"],
                cwd=directory,
                env={"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(copy.parent)},
                capture_output=True,
                text=True,
                check=False,
            )
            if not shown.stdout.startswith(str(copy)):
                yield shown.stdout
