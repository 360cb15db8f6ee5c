"""The default directory for copies of workspaces lies outside of any project."""

import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.places import best_workspaces_directory
from tests.support.product import ROOT


@pytest.fixture
def candidates(tmp_path: Path) -> list[Path]:
    for name in ("checkout/data", "home", "temporary"):
        (tmp_path / name).mkdir(parents=True)
    return [tmp_path / name / "copies" for name in ("checkout/data", "home", "temporary")]


def test_data_directory_outside_a_project_is_used(candidates: list[Path]) -> None:
    assert best_workspaces_directory(candidates) == candidates[0]


@pytest.mark.parametrize("marker", [".git", "pyproject.toml", "package.json", "node_modules"])
def test_home_is_used_when_the_data_directory_is_in_a_project(
    candidates: list[Path], tmp_path: Path, marker: str
) -> None:
    (tmp_path / "checkout" / marker).touch()
    assert best_workspaces_directory(candidates) == candidates[1]


def test_temporary_directory_is_used_when_the_home_is_a_project(
    candidates: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "checkout" / ".git").mkdir()
    (tmp_path / "home" / "package.json").touch()
    assert best_workspaces_directory(candidates) == candidates[2]


def test_home_is_used_when_every_candidate_is_in_a_project(
    candidates: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "Cargo.toml").touch()
    assert best_workspaces_directory(candidates) == candidates[1]


def test_default_of_a_checkout_is_in_the_home_directory(tmp_path: Path) -> None:
    """The settings are the real ones; the home directory is one of the test."""
    code = (
        "import os; os.environ.pop('DATA_DIR', None); os.environ.pop('WORKSPACES_DIR', None);"
        "from dashboard import places, settings;"
        "print(places.best_workspaces_directory("
        "places.workspaces_directories(settings.BASE_DIR / '.data')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"HOME": str(tmp_path), "DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"{tmp_path}/.local/state/run-dashboard/workspaces"
