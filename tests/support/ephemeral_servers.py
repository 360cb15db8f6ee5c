"""PostgreSQL and Redis servers on loopback that last as long as a command or a test.

``python -m tests.support.ephemeral_servers postgres redis -- make test`` starts both, sets
``TEST_DATABASE_URL`` and ``TEST_REDIS_URL`` to their URLs for the command, and ends with the exit
status of the command. A server that is missing is installed from Debian's packages by root.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.test_databases import REDIS_DATABASES

POSTGRES_BINARIES = "/usr/lib/postgresql/*/bin"
START_SECONDS = 60
# Speed instead of durability: nothing is lost if the machine crashes.
POSTGRES_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "300",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
REDIS_OPTIONS = ("--save", "", "--appendonly", "no", "--databases", str(REDIS_DATABASES))


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a new PostgreSQL cluster's database ``postgres``."""
    binaries = _postgres_binaries()
    port = _free_port()
    as_owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with _directory(owner="postgres" if as_owner else "") as directory:
        data, settings = (
            directory / "data",
            POSTGRES_OPTIONS
            | {
                "port": str(port),
                "unix_socket_directories": str(directory),
            },
        )
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        control = [*as_owner, str(binaries / "pg_ctl"), "--pgdata", str(data), "--silent"]
        initdb = ["-o", "--auth=trust --username=postgres --encoding=UTF8 --no-sync"]
        _run([*control, "initdb", *initdb])
        log = str(directory / "log")
        _run([*control, "start", "--wait", "--log", log, "--options", options])
        try:
            yield f"postgres://postgres@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "stop", "--mode", "immediate"])


@contextmanager
def redis() -> Iterator[str]:
    """The URL of a new Redis or Valkey server."""
    program = _installed("valkey-server", "redis-server", package="redis-server")
    port = _free_port()
    address = ["--bind", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        [program, *address, *REDIS_OPTIONS],
        stdout=subprocess.DEVNULL,
        process_group=0,  # so that Ctrl-C in the terminal does not reach the server
    ) as server:
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


SERVERS = {"postgres": (postgres, "TEST_DATABASE_URL"), "redis": (redis, "TEST_REDIS_URL")}


def main(arguments: Sequence[str]) -> int:
    at = arguments.index("--")
    with ExitStack() as running:
        addresses: Mapping[str, str] = {
            variable: running.enter_context(server())
            for server, variable in (SERVERS[name] for name in arguments[:at])
        }
        return subprocess.run(
            arguments[at + 1 :], env=os.environ | addresses, check=False
        ).returncode


def _postgres_binaries() -> Path:
    def newest() -> Path | None:
        on_path = shutil.which("pg_ctl")
        found = sorted(Path("/").glob(POSTGRES_BINARIES[1:]), key=lambda path: path.parent.name)
        return Path(on_path).parent if on_path else next(reversed(found), None)

    binaries = newest()
    if binaries is None:
        _install("postgresql")
        binaries = newest()
    if binaries is None:
        sys.exit(
            "PostgreSQL's pg_ctl was not found: install Debian's postgresql, or PATH lacks it."
        )
    return binaries


def _installed(*programs: str, package: str) -> str:
    def first() -> str:
        return next(filter(None, map(shutil.which, programs)), "")

    found = first()
    if not found:
        _install(package)
        found = first()
    if not found:
        sys.exit(f"None of {', '.join(programs)} was found: install one of them.")
    return found


def _install(package: str) -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quietly = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-qq"])
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", package], quietly)


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        cwd="/",  # the owner of the cluster may not enter the current directory
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr}")


@contextmanager
def _directory(owner: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="throw-away-", ignore_cleanup_errors=True) as name:
        if owner:
            shutil.chown(name, owner)
        yield Path(name)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port: int = holder.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"Nothing answers on port {port}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
