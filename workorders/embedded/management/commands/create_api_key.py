from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from workorders.embedded.api_keys import create_key
from workorders.embedded.models import APIKey


class Command(BaseCommand):
    help = (
        "Make a key for the runs API that ships with the dashboard, and print it, once. "
        "Runs that are started with it show its name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="who or what uses it: letters, digits, . _ -")
        parser.add_argument(
            "--scope",
            choices=APIKey.Scope.values,
            default=APIKey.Scope.READ.value,
            help="read: look at everything; trigger: start and cancel runs too; all: everything",
        )

    def handle(self, *, name: str, scope: str, **options: Any) -> None:
        try:
            key = create_key(name, APIKey.Scope(scope))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(key)
