"""Disk space for copies of workspaces: checked before a copy, freed afterwards, and limited."""

import errno
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from tests.embedded.conftest import Execute, SetProfile
from workorders.embedded.models import Run
from workorders.embedded.worker.workspace import files, prune_workspaces, room
from workorders.status import health_endpoints

MEGABYTE = 1_000_000


@pytest.fixture
def large_file(workspace: Path) -> None:
    (workspace / "data").write_bytes(bytes(range(256)) * 20_000)


@pytest.mark.usefixtures("large_file")
def test_free_space_is_checked_before_a_copy(
    run: Execute, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "free_bytes", lambda _: 2 * MEGABYTE)
    monkeypatch.setattr(room, "_shares_blocks", lambda *_: False)
    ended = run()
    assert ended.status == "failed"
    assert "There is not enough room for a copy of the workspace" in ended.error
    assert list(settings.WORKSPACES_DIR.glob("run-*")) == []


@pytest.mark.usefixtures("large_file")
def test_incomplete_copy_is_removed_when_the_disk_is_full(
    run: Execute, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "data")

    monkeypatch.setattr(files.FileCopier, "copy", fail)
    ended = run()
    assert ended.status == "failed"
    assert "No space left on device" in ended.error
    assert list(settings.WORKSPACES_DIR.glob("run-*")) == []


@pytest.mark.usefixtures("large_file")
def test_kept_copies_have_a_size_limit(
    run: Execute, set_profile: SetProfile, settings: Settings
) -> None:
    """The newest copy is kept, however large it is."""
    set_profile(verify="false", max_iterations=1)
    settings.WORKSPACES_MAX_BYTES = 12 * MEGABYTE
    runs = [run().pk for _ in range(4)]
    assert copies(settings) == set(runs[-2:])
    settings.WORKSPACES_MAX_BYTES = MEGABYTE
    prune_workspaces()
    assert copies(settings) == {runs[-1]}
    assert len(list(settings.WORKSPACES_DIR.glob("*.size"))) == 1


def test_incomplete_copy_of_a_killed_worker_is_removed(run: Execute, settings: Settings) -> None:
    ended = run()
    half = settings.WORKSPACES_DIR / ended.pk
    assert half.is_dir()
    Run.objects.update(iteration_count=0)
    prune_workspaces()
    assert not half.exists()


def copies(settings: Settings) -> set[str]:
    return {path.name for path in settings.WORKSPACES_DIR.glob("run-*") if path.is_dir()}


def test_product_is_not_ready_on_a_full_disk(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/readyz").json()["disk"] == "ok"
    monkeypatch.setattr(health_endpoints, "free_bytes", lambda _: 0)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["disk"]) == (503, "full")
