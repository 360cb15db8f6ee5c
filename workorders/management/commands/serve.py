"""``manage.py serve`` starts the complete product in one command; ``make run`` calls it."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from workorders.accounts.sign_in_links import sign_in_path
from workorders.accounts.users import ensure_operator
from workorders.observability import metrics_files
from workorders.processes import data_directory, web_server
from workorders.processes.daily import DailyCleanUp
from workorders.processes.database_outage import database_cannot_be_used
from workorders.processes.private_files import keep_private
from workorders.processes.static_files import collect_if_changed
from workorders.processes.supervisor import Child, Supervisor


class Command(BaseCommand):
    help = (
        "Prepare the database, start the web server and the workers, and print a sign-in link. "
        "Ctrl-C or SIGTERM ends them all. Variables: docs/configuration.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--web",
            action="store_true",
            help="The web server alone, one of several: 'manage.py migrate' prepares the database, "
            "'manage.py worker' executes runs, 'manage.py sign_in_link' makes links.",
        )

    def handle(self, *, web: bool, **options: Any) -> None:
        with (
            data_directory.locked(settings.DATA_DIR),
            web_server.reserved_address(settings.HOST, settings.PORT) as address,
            Supervisor(
                logs=settings.DATA_DIR / "logs",
                grace_seconds=settings.STOP_GRACE_SECONDS,
                named_lines=settings.LOG_FORMAT == "TEXT",  # a line of JSON must stay one
            ) as supervisor,
        ):
            web_server.allow_open_files()
            path = require_migrations() if web else prepare()
            collect_if_changed()
            metrics_files.clear()
            server = supervisor.start(
                "web", web_server.command(address), PYTHONPATH=str(settings.BASE_DIR)
            )
            if not (web or settings.RUNS_API_URL):
                for number in range(1, settings.WORKERS + 1):
                    supervisor.start(f"worker-{number}", worker_command())
            wait_for_response(supervisor, server, address)
            if not supervisor.stopping:
                self.announce(web_server.public_url(address), path)
            keep_running(supervisor)

    def announce(self, url: str, path: str) -> None:
        """Print the dashboard's URL, followed by ``path``, a sign-in link, unless it is empty."""
        answers = f"The dashboard answers at {url}/ (Ctrl-C stops it)."
        once = f"once, within {settings.SIGN_IN_LINK_MINUTES:g} minutes"
        self.stdout.write(f"{answers} Sign in, {once}, by\n{url}{path}" if path else answers)
        self.stdout.flush()


def prepare() -> str:
    """Migrate the database, make the first account and load the examples.

    Returns:
        The path of a sign-in link for the first account.

    Raises:
        CommandError: the database cannot be used.
    """
    try:
        data_directory.require_own_database()
        call_command("migrate", verbosity=0)
        keep_private(settings.DATA_DIR)  # the database file may be new
        path = sign_in_path(ensure_operator())
        if not settings.RUNS_API_URL:
            call_command("load_examples", verbosity=0)
    except DatabaseError as exc:
        raise CommandError(database_cannot_be_used(exc)) from exc
    finally:
        connections.close_all()  # this process runs no further queries
    return path


def require_migrations() -> str:
    """Check that the database is up to date, without changing it; returns no sign-in link.

    Raises:
        CommandError: migrations are missing, or the database cannot be used.
    """
    try:
        call_command("migrate", check_unapplied=True, verbosity=0)
    except DatabaseError as exc:
        raise CommandError(database_cannot_be_used(exc)) from exc
    except SystemExit as exc:
        raise CommandError(
            "The database is not up to date: run 'manage.py migrate' once, first."
        ) from exc
    finally:
        connections.close_all()
    return ""


def worker_command() -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", "--skip-checks"]


def wait_for_response(supervisor: Supervisor, web: Child, address: web_server.Address) -> None:
    while not (supervisor.stopping or web_server.responds(address)):
        if not web.running:
            raise CommandError(f"The web server {web.how_it_ended()}; see {web.log_file}.")
        supervisor.tick()


def keep_running(supervisor: Supervisor) -> None:
    clean_up = DailyCleanUp()
    while not supervisor.stopping:
        clean_up.tick()
        supervisor.tick()
    clean_up.end()
