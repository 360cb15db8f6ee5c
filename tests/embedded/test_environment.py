"""The environment variables of a run's commands."""

import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from tests.embedded.conftest import Execute, SetProfile, log_of
from workorders.embedded.models import Run

ROOT: Path = django_settings.BASE_DIR
HOST_VARIABLES = {
    *("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV", "PYTHONPATH", "DJANGO_SETTINGS_MODULE"),
    *("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "GOOGLE_APPLICATION_CREDENTIALS"),
    *("AZURE_CLIENT_SECRET", "GITHUB_TOKEN", "GH_TOKEN", "NPM_TOKEN", "SSH_AUTH_SOCK"),
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_CONFIG_GLOBAL", "HARMLESS"),
}


def product_variables() -> set[str]:
    """Every variable that docs/configuration.md lists, and every variable that the code reads."""
    documented = re.findall(
        r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE
    )
    files = [*(ROOT / "dashboard").glob("*.py"), *(ROOT / "workorders").rglob("*.py")]
    source = "".join(file.read_text() for file in files)
    read = re.findall(r"\benv\.\w+\(\s*\"([A-Z_]+)\"", source)
    return set(documented) | set(read)


def environment_of(run: Run) -> dict[str, str]:
    """The environment that ``env`` printed; agent and verification must have the same one."""
    printed = log_of(run)
    agent, verification = (
        dict(re.findall(r"(?m)^(\w+)=(.*)$", part))
        for part in printed.split(": agent ──")[1].split(": verification ──")
    )
    assert agent == verification
    return agent


def test_variables_of_product_and_host_are_not_inherited(
    run: Execute, set_profile: SetProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = product_variables()
    assert {"PORT", "DATA_DIR", "SECRET_KEY", "METRICS_TOKEN", "RUN_LOG_LIMIT_MB"} <= product
    for name in product | HOST_VARIABLES:
        monkeypatch.setenv(name, f"/hidden/{name}")
    set_profile(agent="env", verify="env")
    found = environment_of(run())
    assert not (product | HOST_VARIABLES) & found.keys()
    assert "hidden" not in str(found)


def test_variables_that_every_program_needs_are_inherited(
    run: Execute, set_profile: SetProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "HOME": "/home/somebody",
        "LC_TIME": "C",
        "TZ": "Asia/Tokyo",
        "https_proxy": "http://proxy:3128",
        "SSL_CERT_FILE": "/etc/ssl/proxy.pem",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    set_profile(agent="env", verify="env")
    assert given.items() <= environment_of(run()).items()


def test_variables_that_the_profile_names_are_set(
    run: Execute, set_profile: SetProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_TOKEN", "passed")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    set_profile(
        agent="env",
        verify="env",
        pass_env='["AGENT_TOKEN", "FORGOTTEN"]',
        env='{TZ = "UTC", DATABASE_URL = "sqlite:///of-the-tests"}',
    )
    ended = run()
    expected = {"AGENT_TOKEN": "passed", "TZ": "UTC", "DATABASE_URL": "sqlite:///of-the-tests"}
    assert expected.items() <= environment_of(ended).items()
    assert "── Named by the profile, not there: FORGOTTEN ──" in log_of(ended)
