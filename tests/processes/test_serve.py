"""``manage.py serve``, as a process with its children, and how a Python is found for it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from pytest_django import Settings

from tests.support.product import (
    DEADLINE_SECONDS,
    ROOT,
    Product,
    WebServer,
    follow_link,
    wait_until,
)
from workorders.processes import web_server


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with Product(tmp_path_factory.mktemp("serve")) as product:
        yield product


def answers(product: Product) -> bool:
    try:
        return httpx.get(f"{product.url}/sign-in/", timeout=1).status_code == 200
    except httpx.HTTPError:
        return False


def alive(pids: set[int]) -> bool:
    return any(is_running(pid) for pid in pids)


def shows_its_variables(pid: int) -> bool:
    try:
        return b"ISOLATION" in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # it has ended, or counts as another user's
        return False


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class TestRunning:
    def test_the_examples_come_to_every_status(self, product: Product) -> None:
        """First in its class: the tests below kill workers."""
        key = (product.data_dir / "runs-api-key").read_text().strip()
        url, headers = f"{product.url}/api/v1/work-orders", {"Authorization": f"Bearer {key}"}

        def statuses() -> set[str]:
            items = httpx.get(url, headers=headers, timeout=30).json()["data"]["items"]
            return {item["status"] for item in items}

        every = {"failed", "queued", "running", "succeeded", "canceled"}
        wait_until(lambda: statuses() == every)

    def test_no_process_shows_what_it_was_started_with(self, product: Product) -> None:
        """Among them keys; ``ISOLATION=off`` stands for all that has been set."""

        def telling() -> list[str]:
            processes = {product.pid: "serve"} | product.processes()
            return [command for pid, command in processes.items() if shows_its_variables(pid)]

        wait_until(lambda: not telling())  # one that has just been started still does

    @pytest.mark.parametrize("encoding", ["br", "gzip"])
    def test_a_stylesheet_is_hashed_compressed_and_kept_for_good(
        self, product: Product, encoding: str
    ) -> None:
        page = httpx.get(f"{product.url}/sign-in/").text
        paths = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
        assert paths
        for path in paths:
            assert re.fullmatch(r"/static/css/\w+\.[0-9a-f]{12}\.css", path)
            sheet = httpx.get(product.url + path, headers={"Accept-Encoding": encoding})
            assert sheet.headers["content-encoding"] == encoding
            assert "immutable" in sheet.headers["cache-control"]

    def test_the_printed_link_signs_in(self, product: Product) -> None:
        with httpx.Client(follow_redirects=True) as client:
            page = follow_link(client, product.sign_in_link)
        assert (page.status_code, page.url.path) == (200, "/work-orders/")

    def test_the_printed_link_works_once(self, product: Product) -> None:
        link = product.url + product.manage("sign_in_link", "--base-url", "").strip()
        with httpx.Client() as first, httpx.Client() as second:
            assert follow_link(first, link).headers["location"] == "/work-orders/"
            assert second.get(link).headers["location"] == "/sign-in/"

    def test_output_of_the_children_is_logged(self, product: Product) -> None:
        log = product.data_dir / "logs" / "worker-1.log"
        wait_until(log.read_text)
        assert {path.name for path in log.parent.iterdir()} >= {"web.log", "worker-2.log"}

    def test_a_second_product_cannot_share_the_port(self, product: Product, tmp_path: Path) -> None:
        second = Product(tmp_path, PORT=product.url.rpartition(":")[2])
        second.launch()
        assert second.wait() == 1
        assert "Is it running already?" in second.console

    def test_many_open_pages_shut_nobody_out(self, product: Product) -> None:
        web_server.allow_open_files()
        with ExitStack() as kept:
            for _ in range(1200):
                page = kept.enter_context(closing(HTTPConnection(urlsplit(product.url).netloc)))
                page.timeout = DEADLINE_SECONDS
                page.request("GET", "/healthz")
                assert page.getresponse().read()

    def test_a_killed_worker_is_replaced(self, product: Product) -> None:
        wait_until(lambda: len(product.pids("worker")) == 2)
        killed = product.pids("worker").pop()
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: len(product.pids("worker") - {killed}) == 2)
        assert re.search(r"worker-\d was ended by SIGKILL", product.console)

    def test_a_killed_web_server_is_replaced(self, product: Product) -> None:
        before = product.pids("granian")
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: not alive(before))
        wait_until(lambda: answers(product))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/healthz?hang", id="event loop"),  # it answers this path by itself
        pytest.param("/?hang", id="threads"),
    ],
)
def test_a_web_process_that_hangs_is_replaced_and_says_where(
    settings: Settings, tmp_path: Path, path: str
) -> None:
    settings.WEB_PROCESSES = 1
    log = tmp_path / "log"
    with web_server.reserved_address("127.0.0.1", 0) as address, log.open("wb") as output:
        command = [*web_server.command(address)[:-1], "tests.support.hanging_server:application"]
        url = f"http://127.0.0.1:{address[1]}"

        def process() -> str:
            try:
                return httpx.get(url, timeout=1, trust_env=False).text
            except httpx.HTTPError:
                return ""

        server = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        try:
            wait_until(process)
            before = process()
            for _ in range(2):  # the second one waits for the only thread
                with suppress(httpx.TimeoutException):
                    httpx.get(url + path, timeout=0.1, trust_env=False)
            wait_until(lambda: process() not in {"", before})
        finally:
            server.terminate()
            assert server.wait(DEADLINE_SECONDS) == 0
    assert "answer_or_hang" in log.read_text()


class TestWebServerAlone:
    def test_it_shares_the_database_of_another(self, product: Product, tmp_path: Path) -> None:
        shared = {name: product.environment[name] for name in ("DATABASE_URL", "REDIS_URL")} | {
            "SECRET_KEY": (product.data_dir / "secret-key").read_text()
        }
        link = product.manage("sign_in_link", "--base-url", "").strip()
        with WebServer(tmp_path, **shared) as server, httpx.Client(follow_redirects=True) as client:
            assert follow_link(client, server.url + link).url.path == "/work-orders/"
            assert server.sign_in_link == ""
            assert server.pids("worker") == set()

    def test_it_prepares_no_database(self, tmp_path: Path) -> None:
        server = WebServer(tmp_path)
        server.launch()
        assert server.wait() == 1
        assert "run 'manage.py migrate' once, first" in server.console
        assert "Traceback" not in server.console


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(tmp_path: Path, signal_number: int) -> None:
    product = Product(tmp_path, WORKERS="1")
    product.start()
    family = set(product.processes())
    assert product.stop(signal_number) == 0
    wait_until(lambda: not alive(family))
    assert "Traceback" not in product.console


def test_a_signal_before_the_first_answer_ends_everything(tmp_path: Path) -> None:
    product = Product(tmp_path)
    product.launch()
    wait_until((tmp_path / "logs").exists)
    assert product.stop() == 0
    assert "Traceback" not in product.console


def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    product = Product(tmp_path, WORKERS="1")
    product.start()
    family = set(product.processes())
    product.stop(signal.SIGKILL)
    wait_until(lambda: not alive(family))


def test_another_runs_api_needs_no_workers_and_the_second_start_finds_the_first_ones_data(
    tmp_path: Path,
) -> None:
    elsewhere = {"RUNS_API_URL": "http://127.0.0.1:9"}
    with Product(tmp_path, **elsewhere) as product:
        wait_until(lambda: answers(product))
        assert product.pids("worker") == set()
        product.manage("sign_in_link", "viewer", "--viewer")
    with Product(tmp_path, **elsewhere) as product:
        names = "from django.contrib.auth.models import User; print(*User.objects.all())"
        assert product.manage("shell", "-c", names).splitlines()[-1] == "operator viewer"


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        product = Product(tmp_path, PORT=str(port))
        product.launch()
        assert product.wait() == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in product.console
    assert len(product.console.splitlines()) == 1
    assert not (tmp_path / "logs").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNS_API_URL", "nonsense"),
        ("PORT", "80000"),
        ("HOST", "no.such.host.invalid"),
        ("WEB_THREADS", "0"),
        ("DATABASE_URL", "postgres://nobody:nothing@127.0.0.1:9/none"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_sentence(
    tmp_path: Path, name: str, value: str
) -> None:
    product = Product(tmp_path, **{name: value})
    product.launch()
    assert product.wait() == 1
    assert "Traceback" not in product.console
    assert name in product.console or "database" in product.console
    assert product.processes() == {}


class TestFindPython:
    def find(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / ".ci" / "find-python"],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_the_named_one_is_taken(self) -> None:
        found = self.find(PYTHON=sys.executable, PATH=os.environ["PATH"])
        assert found.stdout.strip() == sys.executable

    def test_a_named_one_that_cannot_run_is_said(self) -> None:
        found = self.find(PYTHON="/nowhere/python3", PATH=os.environ["PATH"])
        assert found.returncode == 1
        assert "PYTHON is '/nowhere/python3'" in found.stderr

    def test_none_at_all_is_said(self, tmp_path: Path) -> None:
        found = self.find(PATH=str(tmp_path), HOME=str(tmp_path))
        assert (found.returncode, found.stdout) == (1, "")
        assert "No Python 3.12 or newer was found" in found.stderr

    def test_one_that_fails_when_run_is_passed_over(self, tmp_path: Path) -> None:
        for name, script in (
            ("python3.14", "#!/bin/sh\nexit 127\n"),
            ("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n'),
        ):
            (tmp_path / name).write_text(script)
            (tmp_path / name).chmod(0o755)
        found = self.find(PATH=str(tmp_path), HOME=str(tmp_path))
        assert found.stdout.strip() == sys.executable
