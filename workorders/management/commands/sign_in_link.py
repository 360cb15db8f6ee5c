from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand

from workorders.accounts.sign_in_links import sign_in_path
from workorders.accounts.users import OPERATOR, ensure_account
from workorders.processes.web_server import public_url


class Command(BaseCommand):
    help = "Print the path of a link that signs an account in once; make the account if needed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", default=OPERATOR)
        parser.add_argument(
            "--viewer",
            action="store_true",
            help="a new account may look at everything but not trigger runs",
        )
        parser.add_argument(
            "--base-url",
            default=public_url((settings.HOST, settings.PORT)),
            help="where the dashboard is reached",
        )

    def handle(self, *, username: str, viewer: bool, base_url: str, **options: object) -> None:
        user = ensure_account(username, can_trigger=not viewer)
        self.stdout.write(base_url.rstrip("/") + sign_in_path(user))
