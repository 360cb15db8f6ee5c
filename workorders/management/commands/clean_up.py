from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from workorders.attempts.retention import remove_old_attempts


class Command(BaseCommand):
    help = (
        "Remove what is older than ATTEMPTS_KEPT_DAYS, RUNS_KEPT_DAYS and LOGS_KEPT_DAYS say, and "
        "sessions that have ended. 'serve' does it once a day."
    )

    def handle(self, **_: Any) -> None:
        call_command("clearsessions")
        remove_old_attempts()
        if not settings.RUNS_API_URL:
            call_command("clean_up_runs")
