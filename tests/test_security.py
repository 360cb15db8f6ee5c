"""Access to routes, what leaves the server, and wrong settings, which stop the start."""

import os
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.support import runs_api as api
from tests.support.runs_api import API_KEY, RunsAPI
from tests.support.trigger_form import HTMX, TriggerForm
from workorders.accounts.sign_in_links import sign_in_path

ROOT = Path(__file__).resolve().parent.parent
OPEN_TO_ALL = {
    "sign-in/",
    "sign-in/<str:token>/",
    "preferences/",
    "single-sign-on/",
    "single-sign-on/callback/",
}
OPEN_IN_THE_API = {"api/v1/health", "api/v1/health/live", "api/v1/health/ready"}
PAGES = ["/work-orders/", "/work-orders/wo-1/", "/work-orders/wo-1/trigger/", "/runs/run-1/"]


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern, route)


ROUTES = sorted(routes(get_resolver()))


def path_of(route: str) -> str:
    """A path of the route, with its placeholders filled in."""
    filled = route.replace("^.*$", "no-such-route").replace("<uuid:key>", str(UUID(int=1)))
    for placeholder in ("<id:work_order_id>", "<id:run_id>", "<str:token>"):
        filled = filled.replace(placeholder, "x")
    return "/" + filled.replace("<str:work_order_id>", "x").replace("<str:run_id>", "x").replace(
        "<str:name>", "x"
    )


@pytest.fixture
def api_with_all(runs_api: RunsAPI) -> RunsAPI:
    runs_api.has()
    runs_api.has_run(logSize=4)
    runs_api.on("GET", "/work-orders", api.items({"id": "wo-1"}))
    log = {"text": "done", "offset": 0, "nextOffset": 4, "size": 4}
    runs_api.on("GET", "/runs/run-1/log", api.data(log))
    return runs_api


# --- Sign-in


def test_all_routes_are_covered() -> None:
    assert set(ROUTES) >= OPEN_TO_ALL | OPEN_IN_THE_API
    assert not [route for route in ROUTES if "<" in path_of(route)]


@pytest.mark.parametrize(
    "route", [r for r in ROUTES if not r.startswith("api/") and r not in OPEN_TO_ALL]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_page_needs_sign_in(client: Client, db: None, route: str, method: str) -> None:
    response = getattr(client, method)(path_of(route))
    assert (response.status_code, response["Location"].split("?")[0]) == (302, "/sign-in/")


@pytest.mark.parametrize("route", [r for r in ROUTES if r.startswith("api/")])
def test_every_api_route_needs_the_key(client: Client, db: None, route: str) -> None:
    expected = 200 if route in OPEN_IN_THE_API else 401
    assert client.get(path_of(route)).status_code == expected


def test_session_does_not_replace_the_api_key(operator: Client) -> None:
    assert operator.get("/api/v1/work-orders").status_code == 401


@pytest.mark.parametrize("page", ["/sign-in/", "/sign-in/made-up/"])
def test_sign_in_page_is_open_to_all(client: Client, db: None, page: str) -> None:
    response = client.get(page, follow=True)
    assert response.status_code == 200
    assert "<h1>Sign in</h1>" in response.content.decode()


@pytest.fixture
def password(operator_user: User) -> str:
    operator_user.set_password("correct horse")
    operator_user.save()
    return "correct horse"


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/runs/run-1/", "/runs/run-1/"),
        ("https://evil.example/", "/work-orders/"),
        ("//evil.example/", "/work-orders/"),
        ("/\\evil.example/", "/work-orders/"),
        ("javascript:alert(1)", "/work-orders/"),
    ],
)
def test_sign_in_redirects_to_no_other_site(
    client: Client, password: str, target: str, location: str
) -> None:
    typed = {"username": "operator", "password": password, "next": target}
    response = client.post("/sign-in/", typed)
    assert (response.status_code, response["Location"]) == (302, location)


def test_sign_in_with_a_wrong_password_is_refused(client: Client, password: str) -> None:
    response = client.post("/sign-in/", {"username": "operator", "password": "wrong"})
    assert "The user name and password do not match." in response.content.decode()
    assert "sessionid" not in response.cookies


def test_sign_in_link_works_once(operator_user: User) -> None:
    link = sign_in_path(operator_user)
    first, second = Client(), Client()
    assert first.post(link)["Location"] == "/work-orders/"
    assert "_auth_user_id" in first.session
    assert second.post(link)["Location"] == "/sign-in/"
    assert "_auth_user_id" not in second.session


def test_used_sign_in_link_is_explained(client: Client, operator_user: User) -> None:
    link = sign_in_path(operator_user)
    Client().post(link)
    page = client.get(link, follow=True).content.decode()
    assert "This sign-in link was used before or is too old." in page


def test_sign_in_link_of_a_closed_account_is_refused(client: Client, operator_user: User) -> None:
    link = sign_in_path(operator_user)
    operator_user.is_active = False
    operator_user.save()
    assert client.get(link)["Location"] == "/sign-in/"
    assert client.post(link)["Location"] == "/sign-in/"


@pytest.mark.parametrize("token", ["x", ".", "a.b.c", "MQ.x-y", "____", "%00", "9" * 5000])
def test_forged_sign_in_link_is_refused(client: Client, db: None, token: str) -> None:
    assert client.get(f"/sign-in/{token}/")["Location"] == "/sign-in/"


def test_sign_out_ends_the_session(operator: Client) -> None:
    assert operator.post("/sign-out/")["Location"] == "/sign-in/"
    assert operator.get("/work-orders/")["Location"] == "/sign-in/?next=/work-orders/"


# --- What leaves the server


@pytest.mark.parametrize("path", [*PAGES, "/sign-in/", "/no-such-page/", "/runs/gone/"])
def test_content_security_policy_allows_only_own_scripts(
    api_with_all: RunsAPI, operator: Client, path: str
) -> None:
    policy = operator.get(path)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/runs/run-1/log/", "/no-such-page/", "/runs/gone/"])
def test_log_and_error_pages_are_not_cached(
    api_with_all: RunsAPI, operator: Client, path: str
) -> None:
    assert "no-store" in operator.get(path)["Cache-Control"]


def test_refusal_is_not_cached(viewer: Client) -> None:
    refusal = viewer.get("/work-orders/wo-1/trigger/")
    assert (refusal.status_code, "no-store" in refusal["Cache-Control"]) == (403, True)


def test_permissions_policy_allows_no_devices(operator: Client, api_with_all: RunsAPI) -> None:
    policy = operator.get("/work-orders/wo-1/")["Permissions-Policy"]
    assert {"camera=()", "geolocation=()", "microphone=()", "usb=()"} <= set(policy.split(", "))


@pytest.mark.parametrize("path", [*PAGES, "/sign-in/", "/no-such-page/"])
def test_pages_have_no_inline_scripts_or_styles(
    api_with_all: RunsAPI, operator: Client, path: str
) -> None:
    """The content security policy would block inline scripts and styles."""
    html = operator.get(path, follow=True).content.decode()
    assert "<style" not in html
    assert " style=" not in html
    assert " onclick=" not in html
    assert html.count("<script") == html.count("<script src=")


@pytest.mark.parametrize("path", [*PAGES, "/runs/run-1/log/", "/sign-in/", "/no-such-page/"])
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "page"])
def test_api_key_is_in_no_response(
    api_with_all: RunsAPI, operator: Client, path: str, headers: dict[str, str]
) -> None:
    response = operator.get(path, headers=headers)
    body = b"".join(response)
    assert API_KEY.encode() not in body
    assert API_KEY not in str(response.headers)


def test_api_key_is_in_no_refusal(api_with_all: RunsAPI, form: TriggerForm) -> None:
    api_with_all.triggers(api.refusal(401, "UNAUTHORIZED", f"Not {API_KEY}"))
    assert API_KEY not in form.send().html


# --- Settings


def manage(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=inherited | {"DATA_DIR": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


PRODUCTION = {"ALLOWED_HOSTS": "example.com", "SECRET_KEY": "k" * 10 + "0123456789abcdef" * 4}


def test_production_settings_pass_the_deployment_check(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


PROBE = """
from django.conf import settings as s
print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT,
      s.SECURE_HSTS_SECONDS > 0, s.SESSION_COOKIE_HTTPONLY, s.DEBUG)
"""


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (PRODUCTION, "True True True True True False"),
        ({"ALLOWED_HOSTS": "localhost,example.com"}, "True True True True True False"),
        ({"ALLOWED_HOSTS": "*"}, "True True True True True False"),
        ({}, "False False False False True False"),
        ({"ALLOWED_HOSTS": "localhost"}, "False False False False True False"),
        (PRODUCTION | {"SECURE_SSL_REDIRECT": "0"}, "True True False True True False"),
    ],
)
def test_settings_are_secure_unless_on_localhost(
    tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    done = manage(tmp_path, "shell", "--no-imports", "-c", PROBE, **environment)
    assert done.stdout.strip() == expected, done.stderr


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "False False"),
        ({"SECURE_HSTS_INCLUDE_SUBDOMAINS": "1"}, "True False"),
        ({"SECURE_HSTS_INCLUDE_SUBDOMAINS": "1", "SECURE_HSTS_PRELOAD": "1"}, "True True"),
    ],
)
def test_https_for_subdomains_is_set_only_on_demand(
    tmp_path: Path, environment: dict[str, str], expected: str
) -> None:
    probe = "from django.conf import settings as s; "
    probe += "print(s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.SECURE_HSTS_PRELOAD)"
    done = manage(tmp_path, "shell", "--no-imports", "-c", probe, **PRODUCTION, **environment)
    assert done.stdout.strip() == expected, done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNS_API_URL", "runs.example.com"),
        ("RUNS_API_URL", "ftp://runs.example.com"),
        ("RUNS_API_URL", "http://runs.example.com:port"),
        ("RUNS_API_URL", "https://"),
        ("RUNS_API_CONNECT_TIMEOUT", "soon"),
        ("RUNS_API_READ_TIMEOUT", "0"),
        ("RUNS_API_TRIGGER_TIMEOUT", "nan"),
        ("RUNS_API_TRIGGER_TIMEOUT", "1000000"),
        ("RUNS_API_CANCELS", "everything"),
        ("DATABASE_URL", "no database"),
        ("DATABASE_URL", "nosuch://user@host/name"),
        ("REDIS_URL", "redis"),
        ("REDIS_URL", "http://localhost:6379"),
        ("REDIS_URL", "redis://:6379"),
        ("REDIS_URL", "redis://localhost:port"),
        ("REDIS_URL", "redis://localhost/cache"),
        ("REDIS_URL", "unix://"),
        ("DEBUG", "maybe"),
        ("SECURE_SSL_REDIRECT", "2"),
        ("TRUST_PROXY_HEADERS", "proxy"),
        ("WEB_BODY_SECONDS", "0"),
        ("WEB_SEND_SECONDS", "for ever"),
        ("WEB_DOWNLOADS", "0"),
        ("WORKSPACES_KEPT", "1.5"),
        ("RUN_LEASE_SECONDS", "-1"),
        ("RUN_LOG_LIMIT_MB", "lots"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("RUNS_API_KEY", "schlüssel"),
        ("RUNS_API_KEY", "short"),
        ("SECRET_KEY", "k" * 31),
        ("ALLOWED_HOSTS", "https://example.com"),
        ("ALLOWED_HOSTS", "example.com,dashboard.example.com:8000"),
        ("ALLOWED_HOSTS", "example.com/"),
        ("ALLOWED_HOSTS", "example.com dashboard.example.com"),
        ("ALLOWED_HOSTS", "*.example.com"),
        ("ALLOWED_HOSTS", "::1"),
        ("CSRF_TRUSTED_ORIGINS", "dashboard.example.com"),
        ("CSRF_TRUSTED_ORIGINS", "https://dashboard.example.com/"),
        ("DATA_DIR", "/dev/null/data"),
        ("WORKSPACES_DIR", "/dev/null/copies"),
        ("SIGN_IN_LINK_MINUTES", "0"),
        ("PASSWORD_ATTEMPTS", "0"),
        ("TRUSTED_PROXIES", "proxy.example.com"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_USER_HEADER", "X-Forwarded-User"),  # trusted proxies are missing
        ("OIDC_ISSUER", "http://login.example.com"),
        ("OIDC_ISSUER", "https://login.example.com"),  # the client ID is missing
    ],
)
def test_wrong_setting_stops_the_start_with_one_sentence(
    tmp_path: Path, name: str, value: str
) -> None:
    assert name in refusal(manage(tmp_path, "check", **{name: value}))


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The sentence with which a command refused to start, its only output on stderr."""
    assert done.returncode != 0
    (sentence,) = done.stderr.strip().splitlines()
    assert sentence.startswith("Cannot start: ")
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize("command", ["check", "serve", "worker"])
def test_wrong_profiles_stop_the_start_with_one_sentence(tmp_path: Path, command: str) -> None:
    (tmp_path / "profiles.toml").write_text("[profiles.mine")
    assert "profiles.toml is not valid TOML" in refusal(manage(tmp_path, command))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "dashboard.example.com, .example.com, LOCALHOST, [::1], 192.0.2.7"),
        ("CSRF_TRUSTED_ORIGINS", "https://dashboard.example.com:8443, http://*.example.com"),
        ("CSRF_TRUSTED_ORIGINS", "https://[::1]:8443, https://192.0.2.7"),
    ],
)
def test_every_host_and_origin_format_of_django_is_accepted(
    tmp_path: Path, name: str, value: str
) -> None:
    probe = f"from django.conf import settings; print(*settings.{name}, sep=', ')"
    done = manage(tmp_path, "shell", "--no-imports", "-c", probe, **{name: value})
    assert done.stdout.strip() == value, done.stderr


def test_default_time_outs_are_at_most_two_seconds(tmp_path: Path) -> None:
    """N7.1 of the specification."""
    names = ("CONNECT", "READ", "TRIGGER")
    values = ", ".join(f"settings.RUNS_API_{name}_TIMEOUT" for name in names)
    probe = f"from django.conf import settings; print({values})"
    done = manage(tmp_path, "shell", "--no-imports", "-c", probe)
    assert done.stdout.split() == ["1", "2", "2"], done.stderr


@pytest.mark.parametrize("end", ["", "/", "/api/v1", "/api/v1/"])
def test_runs_api_url_may_contain_the_path_prefix(tmp_path: Path, end: str) -> None:
    probe = "from django.conf import settings; print(settings.RUNS_API_URL)"
    url = "https://example.com/runs"
    done = manage(tmp_path, "shell", "--no-imports", "-c", probe, RUNS_API_URL=url + end)
    assert done.stdout.strip() == url, done.stderr


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "RUNS_API_URL"])
def test_password_in_a_wrong_setting_is_not_repeated(tmp_path: Path, name: str) -> None:
    done = manage(tmp_path, "check", **{name: "nosuch://user:hunter2@host/name"})
    assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "RUNS_API_KEY"])
def test_too_short_secret_is_not_repeated(tmp_path: Path, name: str) -> None:
    assert "hunter2" not in refusal(manage(tmp_path, "check", **{name: "hunter2"}))


def test_generated_secrets_are_readable_only_by_the_owner(tmp_path: Path) -> None:
    manage(tmp_path, "check")
    names = ("secret-key", "runs-api-key")
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in names] == [0o600, 0o600]


def test_database_connections_have_time_outs(tmp_path: Path) -> None:
    probe = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS'])"
    done = manage(
        tmp_path,
        *("shell", "--no-imports", "-c", probe),
        DATABASE_URL="postgres://user:password@host/name?sslmode=require",
    )
    options = literal_eval(done.stdout.strip())
    assert options["connect_timeout"] == 2
    assert options["tcp_user_timeout"] == 5000
    assert options["options"] == "-c lock_timeout=1500"
    assert options["sslmode"] == "require"
