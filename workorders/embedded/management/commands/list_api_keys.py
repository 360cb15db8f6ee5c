from typing import Any

from django.core.management.base import BaseCommand

from workorders.embedded.models import APIKey


class Command(BaseCommand):
    help = "List the named keys for the runs API: name, scope and when each was made, in UTC."

    def handle(self, **options: Any) -> None:
        for key in APIKey.objects.order_by("name"):
            revoked = f"  revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
            self.stdout.write(
                f"{key.name:<30}  {key.scope:<7}  {key.created_at:%Y-%m-%d %H:%M}{revoked}"
            )
