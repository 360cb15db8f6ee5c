"""The direction of imports: each contract of ``.importlinter`` notices a breach."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NO_REQUEST_MODULES = (
    "services.py",
    "loaders.py",
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


def lint(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("contract", BREACHES)
def test_broken_contract_is_reported(tmp_path: Path, contract: str) -> None:
    for name in ("workorders", "dashboard"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    file, line = BREACHES[contract]
    with (tmp_path / "workorders" / file).open("a") as module:
        module.write(f"\n{line}\n")
    result = lint(tmp_path, "--contract", contract)
    assert result.returncode == 1
    assert "1 broken" in result.stdout


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
