from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workorders.embedded.api_keys import revoke_key


class Command(BaseCommand):
    help = "Make a named key for the runs API worthless, at once and for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")

    def handle(self, *, name: str, **options: Any) -> None:
        if not revoke_key(name):
            raise CommandError(f"No key {name!r} is in use; list_api_keys lists them.")
