"""The profiles file: what the API shows of it, and how faults in it are explained."""

import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from tests.embedded.conftest import Api
from workorders.embedded.profiles import ProfileError, check_profiles, load_profiles

GOOD = '[profiles.a]\nagent = "cat"\nverify = "true"\n'


def write(settings: Settings, text: str) -> None:
    settings.PROFILES_FILE.write_text(text)


def test_profiles_are_shown_without_their_commands(api: Api, settings: Settings) -> None:
    write(settings, '[profiles.a]\nagent = "hidden-agent"\nverify = "hidden-check"\n')
    response = api.get("/profiles")
    assert response.json()["data"] == {
        "items": [
            {
                "name": "a",
                "description": None,
                "extends": None,
                "isBuiltIn": False,
                "maxIterations": 3,
                "maxTime": 3600,
            }
        ],
        "total": 1,
    }
    assert "hidden" not in response.text + api.get("/profiles/a").text


def test_profile_detail_has_all_fields(api: Api) -> None:
    assert api.data("/profiles/careful?resolve=true") == {
        "name": "careful",
        "description": "More attempts",
        "extends": None,
        "isBuiltIn": False,
        "loopStrategy": {"mode": "fixed", "maxIterations": 8},
        "executionLimits": {"maxWallClockSeconds": 600},
    }


@pytest.mark.parametrize("name", ["nobody", "%00", "Careful"])
def test_unknown_profile_is_not_found(api: Api, name: str) -> None:
    assert api.get(f"/profiles/{name}").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/profiles", "/profiles/careful"])
def test_profiles_cannot_be_written(api: Api, method: str, path: str) -> None:
    assert api.http.request(method, path, json={"name": "x"}).status_code == 405


def test_packaged_profiles_are_used_without_a_file(api: Api, settings: Settings) -> None:
    settings.PROFILES_FILE.unlink()
    items = api.data("/profiles")["items"]
    assert [item["name"] for item in items] == ["default", "careful", "patient"]
    assert all(item["isBuiltIn"] for item in items)


def test_file_is_read_again_when_it_changes(api: Api, settings: Settings) -> None:
    assert api.data("/profiles")["total"] == 2
    write(settings, GOOD)
    os.utime(settings.PROFILES_FILE, ns=(1, 1))
    assert api.data("/profiles")["total"] == 1


def test_first_profile_is_the_default_when_none_is_named_default(settings: Settings) -> None:
    write(settings, GOOD + GOOD.replace("profiles.a", "profiles.b"))
    assert load_profiles().default.name == "a"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must hold tables named [profiles.NAME]"),
        ("[profiles]", "must hold tables named [profiles.NAME]"),
        (GOOD + "[other]", "and nothing else"),
        ("profiles = 5", "must hold tables named [profiles.NAME]"),
        ("[profiles", "is not valid TOML"),
        (GOOD + GOOD, "is not valid TOML"),
        ('[profiles]\na = "x"', "must be a table"),
        ('[profiles.a]\nverify = "true"', "agent must be a text and not empty"),
        ('[profiles.a]\nagent = "cat"\nverify = " "', "verify must be a text and not empty"),
        (GOOD + "max_iterations = 0", "max_iterations must be a whole number from 1 to 100"),
        (GOOD + "max_iterations = true", "max_iterations must be a whole number from 1 to 100"),
        (GOOD + "time_limit = 1.5", "time_limit must be a whole number from 1 to 86400"),
        (GOOD + "max_iteration = 5", "unknown key 'max_iteration'"),
        (GOOD + 'pass_env = "TOKEN"', "pass_env must be a list of names"),
        (GOOD + "pass_env = [5]", "pass_env holds 5; a variable's name is letters"),
        (GOOD + 'pass_env = ["MY TOKEN"]', "pass_env holds 'MY TOKEN'; a variable's name"),
        (GOOD + 'pass_env = ["SECRET_KEY"]', "pass_env must not name SECRET_KEY: with"),
        (GOOD + 'pass_env = ["OIDC_CLIENT_SECRET"]', "must not name OIDC_CLIENT_SECRET: with"),
        (GOOD + 'pass_env = ["RUN_ID"]', "pass_env must not name RUN_ID: every run"),
        (GOOD + 'env = ["CI"]', "env must be a table"),
        (GOOD + "env = {CI = 1}", "env: CI must be a text"),
        (GOOD + 'env = {CI = "a\\u0000b"}', "env: CI must be a text"),
        (GOOD + 'env = {"A=B" = "1"}', "env holds 'A=B'; a variable's name"),
        (GOOD + 'env = {PROMPT_FILE = "/x"}', "env must not name PROMPT_FILE: every run"),
        (GOOD + "network = true", 'network must be "on" or "off"'),
        (GOOD + 'readable = "/etc"', "readable must be a list of paths"),
        (GOOD + 'writable = ["cache"]', "writable holds 'cache'; a path begins with / or ~/"),
        (GOOD + 'writable = ["~other/x"]', "writable holds '~other/x'; a path begins with"),
        (GOOD + 'readable = ["/"]', "readable must not open / or /proc"),
        (GOOD + 'readable = ["/proc/1"]', "readable must not open / or /proc"),
        (GOOD + "limits = 5", "limits must be a table, and known are file_mb, memory_mb"),
        (GOOD + "limits = {cpus = 1}", "limits must be a table, and known are file_mb"),
        (GOOD + "limits = {file_mb = 0}", "limits: file_mb must be a whole number from 1"),
        (GOOD.replace("profiles.a", 'profiles."a b"'), "a name is letters, digits"),
    ],
)
def test_fault_in_the_file_is_explained_at_the_start(
    settings: Settings, text: str, says: str
) -> None:
    write(settings, text)
    with pytest.raises(ImproperlyConfigured) as caught:
        check_profiles(None)
    sentence = str(caught.value)
    assert says in sentence
    assert str(settings.PROFILES_FILE) in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_file_that_is_not_text_is_refused(settings: Settings) -> None:
    settings.PROFILES_FILE.write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profiles()


def test_valid_file_passes_the_check(installation: Path) -> None:
    assert check_profiles(None) == []
