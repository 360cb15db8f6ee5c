from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from workorders.accounts.sessions import end_sessions as sign_out_everywhere
from workorders.accounts.users import set_role


class Command(BaseCommand):
    help = "Change what a person may do, or sign the person out everywhere; at once in every case."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        role = parser.add_mutually_exclusive_group()
        role.add_argument("--operator", action="store_true", help="may start runs")
        role.add_argument("--viewer", action="store_true", help="may look, and start nothing")
        state = parser.add_mutually_exclusive_group()
        state.add_argument(
            "--disable", action="store_true", help="may not sign in; ends all sessions and links"
        )
        state.add_argument("--enable", action="store_true", help="may sign in again")
        parser.add_argument(
            "--end-sessions", action="store_true", help="ends all sessions and unused links"
        )

    def handle(
        self,
        *,
        username: str,
        operator: bool,
        viewer: bool,
        disable: bool,
        enable: bool,
        end_sessions: bool,
        **options: Any,
    ) -> None:
        person = User.objects.filter(username=username).first()
        if person is None:
            raise CommandError(f"There is no account {username!r}; list_accounts lists them.")
        if not (operator or viewer or disable or enable or end_sessions):
            raise CommandError("Say what is to change: --help lists it.")
        if operator or viewer:
            set_role(person, can_trigger=operator)
        if disable or enable:
            person.is_active = enable
            person.save(update_fields=["is_active"])
        if disable or end_sessions:
            count = sign_out_everywhere(person)
            self.stdout.write(f"{count} session{'' if count == 1 else 's'} ended")
