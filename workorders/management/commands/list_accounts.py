from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db.models import Count, Q
from django.utils import timezone

from workorders.attempts.permissions import TRIGGER_PERMISSION


class Command(BaseCommand):
    help = "List accounts: name, role, open sessions and the last sign-in, in UTC."

    def handle(self, **options: Any) -> None:
        is_open = Q(sessions__expire_date__gt=timezone.now())
        people = User.objects.annotate(open_sessions=Count("sessions", filter=is_open))
        for person in people.order_by("username"):
            role = "operator" if person.has_perm(TRIGGER_PERMISSION) else "viewer"
            state = role if person.is_active else "disabled"
            last = f"{person.last_login:%Y-%m-%d %H:%M}" if person.last_login else "never"
            self.stdout.write(
                f"{person.username:<30}  {state:<8}  {person.open_sessions:>3}  {last}"
            )
