"""Fixtures of the embedded API: calls within the process, and real workers on the test database."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from tests.support.embedded_workers import WorkerProcess, start_worker
from workorders.embedded.models import Run, Worker, WorkOrder
from workorders.embedded.transitions import claim_next
from workorders.embedded.triggering import Trigger, trigger_run
from workorders.embedded.worker.context import WorkerContext
from workorders.embedded.worker.executor import execute
from workorders.embedded.wsgi import application

type Make = Callable[..., WorkOrder]
"""The fixture ``make_work_order``."""
type MakeRun = Callable[..., Run]
"""The fixture ``trigger``."""
type Execute = Callable[..., Run]
"""The fixture ``run``."""
type SetProfile = Callable[..., None]
type Start = Callable[..., WorkerProcess]
"""The fixture ``worker``."""

PROFILES = """
[profiles.default]
description = "Passes at once"
agent = "cat"
verify = "true"

[profiles.careful]
description = "More attempts"
agent = "cat"
verify = "true"
max_iterations = 8
time_limit = 600
"""


class Api:
    """A caller of the embedded runs API through WSGI; the responses are ``httpx.Response``."""

    def __init__(self, key: str) -> None:
        self.http = httpx.Client(
            transport=httpx.WSGITransport(app=application),
            base_url="http://runs.test/api/v1",
            headers={"Authorization": f"Bearer {key}"},
        )

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.http.get(path, **arguments)

    def post(self, path: str, body: Any = None, **arguments: Any) -> httpx.Response:
        if body is not None:
            arguments["json"] = body
        return self.http.post(path, **arguments)

    def delete(self, path: str) -> httpx.Response:
        return self.http.delete(path)

    def data(self, path: str, **arguments: Any) -> Any:
        response = self.get(path, **arguments)
        assert response.status_code == 200, response.text
        return response.json()["data"]


@pytest.fixture(autouse=True)
def installation(settings: Settings, tmp_path: Path) -> Path:
    """A data directory, an API key and a profiles file for this test alone."""
    settings.DATA_DIR = tmp_path / "data"
    settings.WORKSPACES_DIR = settings.DATA_DIR / "workspaces"
    settings.FORMER_WORKSPACES_DIRS = ()
    settings.PROFILES_FILE = settings.DATA_DIR / "profiles.toml"
    settings.RUNS_API_KEY = "the-key"
    settings.DATA_DIR.mkdir()
    settings.PROFILES_FILE.write_text(PROFILES)
    return tmp_path / "data"


@pytest.fixture
def api(db: None, installation: Path) -> Iterator[Api]:
    api = Api("the-key")
    yield api
    api.http.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    directory = tmp_path / "repository"
    directory.mkdir()
    (directory / "README").write_text("a workspace\n")
    return directory


@pytest.fixture
def make_work_order(workspace: Path) -> Make:
    def make(**values: Any) -> WorkOrder:
        return WorkOrder.objects.create(
            **{"prompt": "Fix the login", "workspace_path": str(workspace), **values}
        )

    return make


@pytest.fixture
def work_order(db: None, make_work_order: Make) -> WorkOrder:
    return make_work_order()


@pytest.fixture
def free_worker(db: None) -> Worker:
    return Worker.objects.create(token="free", name="free")


@pytest.fixture
def trigger(installation: Path) -> MakeRun:
    def trigger(work_order: WorkOrder, **values: Any) -> Run:
        defaults: dict[str, Any] = {
            "profile_name": "",
            "max_iterations": None,
            "sent": {},
            "key": None,
        }
        return trigger_run(Trigger(work_order_id=work_order.pk, **(defaults | values)))[0]

    return trigger


@pytest.fixture
def set_profile(settings: Settings) -> SetProfile:
    """A function that replaces the profiles file by one with a single profile, the default."""

    def set_profile(*, agent: str = "cat", verify: str = "true", **others: object) -> None:
        """The values of ``others`` are TOML source, e.g. ``'"on"'``; numbers may be integers."""
        lines = ["[profiles.default]", f"agent = '''{agent}'''", f"verify = '''{verify}'''"]
        lines += [f"{name} = {value}" for name, value in others.items()]
        settings.PROFILES_FILE.write_text("\n".join(lines))

    return set_profile


@pytest.fixture
def context(installation: Path) -> WorkerContext:
    return WorkerContext("test")


@pytest.fixture
def run(context: WorkerContext, work_order: WorkOrder, trigger: MakeRun) -> Execute:
    """A function that triggers a run of ``work_order``, executes it and returns the ended run."""

    def run(**overrides: int) -> Run:
        trigger(work_order, **overrides)
        claimed = claim_next(context.token)
        assert claimed
        execute(claimed, context)
        return Run.objects.select_related("work_order").get(pk=claimed.pk)

    return run


@pytest.fixture
def worker(transactional_db: None, installation: Path) -> Iterator[Start]:
    """A function that starts real ``manage.py worker`` processes; all are killed after the test."""
    started: list[WorkerProcess] = []

    def start(name: str = "one", **environment: str) -> WorkerProcess:
        started.append(start_worker(name, installation, environment))
        return started[-1]

    yield start
    for process in started:
        process.end()


WRITE_PROCESS_ID = 'echo $$ > "$(dirname "$PWD")/pid-$RUN_ID"'
"""A first command for agents: it writes the process ID that ``agent_process_id`` reads."""


def agent_process_id(run: Run) -> int:
    """Wait until the agent of the run has executed ``WRITE_PROCESS_ID``."""
    file = django_settings.WORKSPACES_DIR / f"pid-{run.pk}"
    eventually(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


def has_ended(run: Run) -> bool:
    run.refresh_from_db()
    return run.completed_at is not None


def log_of(run: Run) -> str:
    """The stored log of the run; ``UnicodeDecodeError`` when it is not UTF-8."""
    return b"".join(bytes(chunk.data) for chunk in run.log_chunks.order_by("offset")).decode()


def eventually(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait for the condition and return its first true value; fail the test on a time-out."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    pytest.fail(f"did not happen within {seconds} s")
