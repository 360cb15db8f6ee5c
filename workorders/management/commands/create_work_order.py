from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from workorders.errors import RunsAPIError
from workorders.runs_api.clients import default_client


class Command(BaseCommand):
    help = "Create a work order from a prompt and a directory to work on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prompt", help="what the worker is asked to do")
        parser.add_argument("--workspace", required=True, type=Path, help="each run gets a copy")
        parser.add_argument("--profile", default="", help="how to run it (default: the API's)")
        parser.add_argument("--max-iterations", type=int, default=None)

    def handle(
        self,
        *,
        prompt: str,
        workspace: Path,
        profile: str,
        max_iterations: int | None,
        **options: object,
    ) -> None:
        try:
            work_order = default_client().create_work_order(
                prompt=prompt,
                workspace=str(workspace.expanduser().resolve()),
                profile_name=profile,
                max_iterations=max_iterations,
            )
        except RunsAPIError as error:
            reasons = [
                f"{field or 'request'}: {text}" for field, text in error.field_errors.items()
            ]
            raise CommandError(
                " ".join([error.reference or error.user_message, *reasons])
            ) from error
        self.stdout.write(work_order.id)
