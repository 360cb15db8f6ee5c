"""The structure of the project: directions of imports, and paths that other files name."""

import ast
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

from tests.seeded_faults import faults

ROOT = Path(__file__).resolve().parents[1]
NO_REQUEST_MODULES = (
    "services.py",
    "loaders.py",
    "outcomes.py",
    "dialog.py",
    "reconciliation.py",
    "start_proof.py",
    "run_search.py",
)
BREACHES = {
    "layers": ("runs_api/client.py", "import workorders.web.http"),
    "embedded": ("runs/loaders.py", "import workorders.embedded.models"),
    "embedded-imports": ("embedded/triggering.py", "import workorders.runs_api.schemas"),
    "dashboard": ("web/http.py", "import dashboard.settings"),
    "templatetags": ("trigger_run/responses.py", "import workorders.templatetags.dashboard"),
    "httpx": ("trigger_run/services.py", "import httpx"),
    "processes": ("processes/supervisor.py", "import workorders.runs.loaders"),
}


def lint(directory: Path) -> str:
    """What import-linter prints of the packages in a directory."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    return done.stdout


def test_each_broken_contract_is_reported(tmp_path: Path) -> None:
    """All contracts are broken at once, each by an import of its own, which the report names."""
    for name in ("workorders", "dashboard"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for file, line in BREACHES.values():
        with (tmp_path / "workorders" / file).open("a") as module:
            module.write(f"\n{line}\n")
    printed = lint(tmp_path).partition("Broken contracts")[2]
    names = ConfigParser()
    names.read(ROOT / ".importlinter")
    for contract, (file, line) in BREACHES.items():
        name = names[f"importlinter:contract:{contract}"]["name"]
        reported = printed.partition(f"\n{name}\n")[2].partition("\n\n\n")[0]
        importer = "workorders." + file.removesuffix(".py").replace("/", ".")
        assert f"{importer} -> {line.removeprefix('import ')}" in reported, contract


def test_services_and_loaders_import_no_request_classes() -> None:
    checked = [
        path for path in ROOT.glob("workorders/*_run*/*.py") if path.name in NO_REQUEST_MODULES
    ]
    checked += [*ROOT.glob("workorders/attempts/*.py"), *ROOT.glob("workorders/*/loaders.py")]
    assert len(checked) > 10
    for path in checked:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module not in {"django.http", "django.shortcuts"}, path


def test_every_path_that_the_makefile_names_exists() -> None:
    """A renamed test would otherwise silently become part of the fast tests."""
    command = ["make", "--dry-run", "test-fast", "test-postgres"]
    words = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [word.removeprefix("--ignore=") for word in words.split()]
    named = [path for path in paths if path.startswith("tests/")]
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_seeded_fault_can_be_seeded() -> None:
    """The text that a fault replaces stands once in its file, and its tests exist."""
    stale = [
        fault.name
        for fault in faults([])
        if (ROOT / fault.file).read_text().count(fault.as_is) != 1
        or not all((ROOT / part).exists() for part in fault.tests if part.startswith("tests/"))
    ]
    assert stale == []
