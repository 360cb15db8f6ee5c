from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from workorders.errors import RunsAPIError
from workorders.runs_api.client import PAGE_LIMIT
from workorders.runs_api.clients import default_client
from workorders.runs_api.schemas import WORK_ORDER_STATUSES
from workorders.text.legible import legible


class Command(BaseCommand):
    help = "List work orders, newest first: ID, status, runs and the prompt's first line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--status", default="", choices=["", *WORK_ORDER_STATUSES])
        parser.add_argument("--limit", type=int, default=PAGE_LIMIT)

    def handle(self, *, status: str, limit: int, **options: object) -> None:
        offset = 0
        while offset < limit:
            try:
                page = default_client().list_work_orders(
                    status=status, limit=min(PAGE_LIMIT, limit - offset), offset=offset
                )
            except RunsAPIError as error:
                raise CommandError(error.reference or error.user_message) from error
            for item in page.items:
                first_line = (item.prompt.splitlines() or [""])[0]
                runs = "-" if item.run_count is None else item.run_count
                self.stdout.write(
                    f"{legible(item.id)}  {item.status:<9}  {runs:>5}  {legible(first_line[:80])}"
                )
            offset += len(page.items)
            if not page.has_more:
                return
