import datetime as dt
import json
from argparse import ArgumentTypeError
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from workorders.attempts.export import attempt_as_json
from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.json_values import datetime_or_none


class Command(BaseCommand):
    help = "Writes every attempt to start a run as JSON lines, oldest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--since", type=_timestamp, help="ISO 8601, UTC unless it says otherwise"
        )
        parser.add_argument("--work-order", default="", help="the ID of one work order")

    def handle(self, *_: Any, since: dt.datetime | None, work_order: str, **__: Any) -> None:
        for attempt in _attempts(since, work_order):
            self.stdout.write(json.dumps(attempt_as_json(attempt)))


def _timestamp(text: str) -> dt.datetime:
    timestamp = datetime_or_none(text)
    if timestamp is None:
        raise ArgumentTypeError(f"{text!r} is no ISO 8601 time, such as 2026-01-31T09:00:00Z")
    return timestamp


def _attempts(since: dt.datetime | None, work_order_id: str) -> Iterator[TriggerAttempt]:
    related = TriggerAttempt.objects.select_related("user").prefetch_related("earlier_submissions")
    found = related.order_by("created_at", "key")
    if since:
        found = found.filter(created_at__gte=since)
    if work_order_id:
        found = found.filter(work_order_id=work_order_id)
    return found.iterator(chunk_size=500)
