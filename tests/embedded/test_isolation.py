"""Untrusted agents: what they can reach on the machine, with isolation and without."""

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from pytest_django import Settings

from tests.embedded.conftest import Api, Execute, MakeRun, SetProfile, Start, eventually, log_of
from tests.support import attacks
from tests.support.embedded_workers import WorkerProcess
from workorders.accounts.sessions import SessionStore
from workorders.embedded.models import Run, Worker, WorkOrder
from workorders.embedded.worker import isolation

isolation._why_not_possible.cache_clear()
CAN_ISOLATE = not isolation._why_not_possible()
isolated_only = pytest.mark.skipif(
    not CAN_ISOLATE, reason="bubblewrap is not installed, or may not work here"
)
SECRETS = ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "RUNS_API_KEY", "METRICS_TOKEN")


@pytest.fixture
def isolated(settings: Settings) -> None:
    settings.ISOLATION = "REQUIRED"


@pytest.fixture
def targets(installation: Path, tmp_path: Path, workspace: Path) -> Path:
    """Create everything that an attacker wants, and put the attacker and its list of targets into
    the workspace; the home directory.
    """
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text("hidden-key")
    for name in ("runs-api-key", "secret-key"):
        (installation / name).write_text(f"hidden-{name}-" + "x" * 40)
    other_copy = installation / "workspaces" / "run-other"
    other_copy.mkdir(parents=True)
    (other_copy / "README").write_text("of somebody else\n")
    User.objects.create_user("somebody", password="hidden-password")
    session = SessionStore()
    session.create()
    (workspace / "attacks.py").write_text(Path(attacks.__file__).read_text())
    places = {
        "data": installation,
        "database": connection.settings_dict["NAME"],
        "profiles": installation / "profiles.toml",
        # Reversed, since a copy replaces the path of the original by its own.
        "original": str(workspace / "README")[::-1],
        "other_copy": other_copy / "README",
        "home": home,
        "worker": "0",
    }
    (workspace / "targets.json").write_text(json.dumps(places, default=str))
    return home


def attack(
    worker: Start, trigger: MakeRun, work_order: WorkOrder, home: Path, isolation: str
) -> tuple[WorkerProcess, Run, set[str]]:
    """Start a run of the attacker; the worker, the running run and the attacks that worked."""
    secrets = {name: f"hidden-{name.lower()}" for name in SECRETS}
    process = worker(ISOLATION=isolation, HOME=str(home), **secrets)
    file = Path(work_order.workspace_path) / "targets.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"worker": process.process.pid}))
    run = trigger(work_order)
    worked = eventually(lambda: re.search(r"WORKED (.*)", log_of(run)))
    return process, run, set(json.loads(worked[1]))


ALL = {each.__name__ for each in attacks.ATTACKS}
PROGRAM = '"$PYTHON" attacks.py'


@isolated_only
def test_isolated_agent_reaches_nothing(
    worker: Start, trigger: MakeRun, work_order: WorkOrder, targets: Path, set_profile: SetProfile
) -> None:
    set_profile(agent=f"{PROGRAM} kill", max_iterations=1)
    process, run, worked = attack(worker, trigger, work_order, targets, "required")
    assert worked == set()
    # The agent has killed all processes that it could: only its own.
    eventually(lambda: Run.objects.get(pk=run.pk).completed_at)
    run.refresh_from_db()
    assert "SIGKILL" in run.error
    assert process.process.poll() is None
    assert (
        "── Isolated by bubblewrap, with network; of the home only what the profile opens ──"
        in log_of(run)
    )
    assert_quiet(run, targets)


def test_unisolated_agent_gets_no_environment_and_does_not_outlive_its_run(
    worker: Start, trigger: MakeRun, work_order: WorkOrder, targets: Path, set_profile: SetProfile
) -> None:
    """All other attacks work here, which shows that they are real."""
    set_profile(agent=PROGRAM, max_iterations=1)
    _, run, worked = attack(worker, trigger, work_order, targets, "off")
    kept = {"variables_of_the_host", "environment_of_other_processes"}
    if connection.vendor == "postgresql":  # the database is not a file, and needs a password
        kept |= {"live_sessions", "password_hashes", "rows_in_the_shared_cache"}
    assert worked == ALL - kept
    assert "── Not isolated from this machine: ISOLATION is off ──" in log_of(run)
    api = Api("the-key")
    api.post(f"/runs/{run.pk}/cancel")
    eventually(lambda: Run.objects.get(pk=run.pk).completed_at)
    assert_quiet(run, targets)


def assert_quiet(run: Run, home: Path) -> None:
    """The process that tried to outlive the run, and wrote every 0.05 s, writes no more."""
    ticks = home.parent / "data" / "workspaces" / run.pk / "ticks"
    before = ticks.stat().st_size
    assert before
    time.sleep(0.3)
    assert ticks.stat().st_size == before


@isolated_only
def test_isolated_agent_has_everything_it_needs(
    run: Execute, isolated: None, set_profile: SetProfile, workspace: Path, settings: Settings
) -> None:
    """The copy, a home and a ``/tmp`` for the duration of the run, devices and exit codes."""
    set_profile(
        agent="""
            set -e
            echo changed > README; echo kept > ~/kept; echo kept > /tmp/kept; echo $$ > /dev/null
            test "$TMPDIR" = /tmp; test "$(cat "$PROMPT_FILE")" = "$(cat)"
            git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one
            "$PYTHON" -c "import ssl, sqlite3, json, _ctypes, tempfile; tempfile.TemporaryFile()"
            "$PYTHON" "$EXAMPLES_DIR/scripted_agent.py" --help > /dev/null
        """,
        verify="test -d .git && cat ~/kept /tmp/kept && exit 3",
        max_iterations=1,
    )
    ended = run()
    assert ended.iterations.get().verify_exit_code == 3, log_of(ended)
    assert (settings.WORKSPACES_DIR / ended.pk / "README").read_text() == "changed\n"
    assert (workspace / "README").read_text() == "a workspace\n"
    assert not Path("/tmp/kept").exists()


@isolated_only
@pytest.mark.parametrize(("network", "reaches"), [("on", True), ("off", False)])
def test_profile_decides_about_the_network(
    run: Execute, isolated: None, set_profile: SetProfile, network: str, *, reaches: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        set_profile(
            agent=f'"$PYTHON" -c "import socket; socket.create_connection({address})"',
            network=f'"{network}"',
            max_iterations=1,
        )
        ended = run()
    assert (ended.status == "succeeded") is reaches
    assert ("Connection refused" in log_of(ended) or "unreachable" in log_of(ended)) is not reaches


@isolated_only
@pytest.mark.usefixtures("isolated")
def test_profile_opens_paths_but_never_secrets_of_the_product(
    run: Execute,
    set_profile: SetProfile,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = tmp_path / "home"
    (home / "cache").mkdir(parents=True)
    (home / "tool.conf").write_text("open\n")
    (home / "closed").write_text("secret\n")
    monkeypatch.setenv("HOME", str(home))
    (settings.DATA_DIR / "secret-key").write_text("secret\n")
    set_profile(
        agent=f"""
            set -e
            cat ~/tool.conf; ! echo x > ~/tool.conf; echo new > ~/cache/new
            ! cat ~/closed; ! cat {settings.DATA_DIR}/secret-key; ! cat {settings.PROFILES_FILE}
            ! touch {tmp_path}/x
        """,
        readable=f'["~/tool.conf", "{settings.DATA_DIR}"]',
        writable='["~/cache", "~/absent"]',
        max_iterations=1,
    )
    ended = run()
    log = log_of(ended)
    assert "── Named by the profile, not there: ~/absent ──" in log
    assert "open\n" in log
    assert (home / "cache" / "new").read_text() == "new\n"
    assert "secret\n" not in log


@isolated_only
@pytest.mark.usefixtures("isolated")
def test_folder_that_contains_files_of_the_product_is_not_writable(
    run: Execute, set_profile: SetProfile, settings: Settings, tmp_path: Path
) -> None:
    """An agent could otherwise rename a folder on the path and put its own profiles there."""
    settings.PROFILES_FILE = tmp_path / "settings" / "product" / "profiles.toml"
    settings.PROFILES_FILE.parent.mkdir(parents=True)
    for opened, kept in (
        (settings.DATA_DIR.parent, settings.DATA_DIR),
        (tmp_path / "settings", settings.PROFILES_FILE),
    ):
        set_profile(writable=f'["{opened}"]')
        ended = run(max_iterations=1)
        assert (ended.status, ended.iterations.get().agent_exit_code) == ("failed", None)
        assert f"must not open {opened} for writing: {kept} is in it" in ended.error


@isolated_only
@pytest.mark.usefixtures("isolated")
def test_isolated_agent_has_all_limits_and_no_capabilities(
    run: Execute, set_profile: SetProfile
) -> None:
    """The limit of processes is only read: a test that runs as root could not exceed it."""
    names = ("RLIMIT_DATA", "RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_CORE")
    limits = ", ".join(f"resource.getrlimit(resource.{name})[1]" for name in names)
    agent = f'"$PYTHON" -c "import resource; print([{limits}])"'
    set_profile(
        agent=f"grep -E '^(CapPrm|CapBnd|NoNewPrivs)' /proc/self/status; {agent}", verify="false"
    )
    log = log_of(run(max_iterations=1))
    half = isolation._half_of_the_memory_mb() * 1_000_000
    assert f"[{half}, 4096, 16384, 20000000000, 0]\n" in log
    assert re.findall(r"(?m)^(\w+):\t(\d+)$", log) == [
        ("CapPrm", "0" * 16),
        ("CapBnd", "0" * 16),
        ("NoNewPrivs", "1"),
    ]
    set_profile(
        agent=agent,
        limits="{memory_mb = 900, processes = 77, open_files = 99, file_mb = 5}",
    )
    assert "[900000000, 77, 99, 5000000, 0]\n" in log_of(run(max_iterations=1))


@isolated_only
@pytest.mark.parametrize(
    ("limits", "code", "says"),
    [
        ("memory_mb = 100", "x = bytearray(200_000_000)", "MemoryError"),
        ("open_files = 20", "x = [open('/dev/null') for _ in range(30)]", "Too many open files"),
        ("file_mb = 1", "open('f', 'wb').write(bytes(2_000_000))", "File too large"),
    ],
)
@pytest.mark.usefixtures("isolated")
def test_limit_stops_the_agent(
    run: Execute, set_profile: SetProfile, limits: str, code: str, says: str
) -> None:
    ignoring = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    set_profile(agent=f'"$PYTHON" -c "{ignoring}; {code}"', limits=f"{{{limits}}}")
    ended = run(max_iterations=1)
    assert ended.status == "failed"
    assert says in log_of(ended)


@isolated_only
def test_home_may_be_the_data_directory_as_in_a_container(
    run: Execute,
    isolated: None,
    set_profile: SetProfile,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(settings.DATA_DIR))
    set_profile(
        agent="echo kept > ~/kept; ! cat ~/profiles.toml", verify="cat ~/kept", max_iterations=1
    )
    ended = run()
    assert ended.status == "succeeded", log_of(ended)


@pytest.fixture
def no_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine without bubblewrap."""
    monkeypatch.setenv("PATH", str(tmp_path))
    isolation._why_not_possible.cache_clear()
    yield
    isolation._why_not_possible.cache_clear()


def test_run_is_refused_when_required_isolation_is_impossible(
    run: Execute, isolated: None, no_bubblewrap: None, settings: Settings
) -> None:
    ended = run()
    assert (ended.status, ended.iteration_count) == ("failed", 0)
    assert ended.error == (
        "Isolation is required (ISOLATION), but bubblewrap (bwrap) is not installed."
    )


def test_log_shows_that_isolation_is_impossible(
    run: Execute, no_bubblewrap: None, settings: Settings
) -> None:
    settings.ISOLATION = "AUTO"
    assert "── Not isolated from this machine: bubblewrap (bwrap) is not installed ──" in log_of(
        run()
    )


def test_worker_does_not_start_when_required_isolation_is_impossible(
    worker: Start, tmp_path: Path
) -> None:
    process = worker(ISOLATION="required", PATH=str(tmp_path))
    assert process.wait() == 1
    assert "Isolation is required (ISOLATION), but bubblewrap" in process.log.read_text()


def test_worker_warns_that_its_agents_have_a_trusted_address(worker: Start) -> None:
    trusted = {"TRUSTED_USER_HEADER": "X-Forwarded-User"}
    for proxies, is_logged in (("127.0.0.0/8", True), ("10.0.0.1", False)):
        process = worker(proxies.replace("/", "-"), TRUSTED_PROXIES=proxies, **trusted)
        eventually(lambda log=process.log: "waits for runs" in log.read_text())  # type: ignore[misc]
        assert ("can sign in as anybody" in process.log.read_text()) is is_logged


def test_workers_report_whether_they_isolate(worker: Start, tmp_path: Path) -> None:
    process = worker("two", PATH=str(tmp_path), ISOLATION="auto")
    api = Api("the-key")
    not_isolated = eventually(lambda: api.data("/queue/health")["isolation"]["notIsolated"])
    assert not_isolated == 1
    assert "Agents are not isolated" in process.log.read_text()
    Worker.objects.create(token="isolated", name="isolated", not_isolated="")
    Worker.objects.create(token="old", name="of an older version")
    assert api.data("/queue/health")["isolation"] == {
        "isolated": 1,
        "notIsolated": 1,
        "reasons": ["bubblewrap (bwrap) is not installed"],
    }
