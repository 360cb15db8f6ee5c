"""``manage.py load_examples``: example work orders and runs for a fresh installation."""

import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from workorders.embedded.history import ago, import_run
from workorders.embedded.models import Status, WorkOrder
from workorders.embedded.profiles import EXAMPLES_DIR, PACKAGED_FILE, load_profiles
from workorders.embedded.triggering import Trigger, trigger_run


class Command(BaseCommand):
    help = "When there is no work order yet: create example repositories, profiles, work orders."

    def handle(self, *, verbosity: int, **options: Any) -> None:
        if WorkOrder.objects.exists():
            if verbosity:
                self.stdout.write("There are work orders: no examples are loaded.")
            return
        if not settings.PROFILES_FILE.exists():
            settings.PROFILES_FILE.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PACKAGED_FILE, settings.PROFILES_FILE)
        repositories = copy_repositories()
        with transaction.atomic():
            create_work_orders(repositories)
        if verbosity:
            self.stdout.write(f"Created {WorkOrder.objects.count()} example work orders.")


def copy_repositories() -> Path:
    """Copy the example repositories into the data directory, and return their directory."""
    target: Path = settings.DATA_DIR / "examples"
    shutil.copytree(
        EXAMPLES_DIR / "repositories",
        target,
        ignore=shutil.ignore_patterns("__pycache__", ".*"),
        dirs_exist_ok=True,
    )
    return target


def create_work_orders(repositories: Path) -> None:
    """Create a work order of every status. The workers execute the runs that are triggered here."""
    slugs = WorkOrder.objects.create(
        prompt=(EXAMPLES_DIR / "long_prompt.md").read_text(encoding="utf-8"),
        workspace_path=str(repositories / "slugs"),
        created_at=ago(days=24),
    )
    import_run(slugs, ago(days=23))
    slugs.derive_status()

    prices = WorkOrder.objects.create(
        prompt="Make the discount test pass: half a cent must be rounded up, and no price "
        "may become negative",
        workspace_path=str(repositories / "prices"),
        created_at=ago(days=21),
    )
    for number in range(30):
        import_run(prices, ago(days=20, hours=-15.5 * number))
    prices.derive_status()

    canceled = WorkOrder.objects.create(
        prompt="Move the customer import to the new address format",
        workspace_path=str(repositories / "report"),
        created_at=ago(days=6),
    )
    import_run(canceled, ago(days=5, hours=20))
    canceled.status = Status.CANCELED
    canceled.derive_status()

    WorkOrder.objects.create(
        prompt="Round discounts to whole cents before they are printed on the invoice",
        workspace_path=str(repositories / "prices"),
        created_at=ago(hours=20),
    )
    patient = WorkOrder.objects.create(
        prompt="Rewrite the monthly report so that it adds up every account while it reads",
        workspace_path=str(repositories / "report"),
        profile_name="patient" if "patient" in load_profiles() else "",
        created_at=ago(hours=3),
    )
    changelog = WorkOrder.objects.create(
        prompt="Add the missing entry for version 1.4.0 to the change log",
        workspace_path=str(repositories / "changelog"),
        created_at=ago(hours=2),
    )
    login = WorkOrder.objects.create(
        prompt="Fix the authentication bug in the login flow",
        workspace_path=str(repositories / "login"),
        created_at=ago(hours=1),
    )
    # The patient work order is triggered last, because its run keeps a worker for ten minutes.
    for work_order in (login, changelog, login, patient):
        trigger_run(
            Trigger(
                work_order_id=work_order.pk,
                profile_name="",
                max_iterations=None,
                sent={},
                key=None,
            )
        )
