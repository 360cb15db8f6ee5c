from typing import Any

from django.core.management.base import BaseCommand

from workorders.embedded.retention import remove_old_logs, remove_old_runs


class Command(BaseCommand):
    help = "Remove runs and logs that are older than RUNS_KEPT_DAYS and LOGS_KEPT_DAYS say."

    def handle(self, **_: Any) -> None:
        remove_old_runs()
        remove_old_logs()
