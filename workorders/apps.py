from typing import Any

from django.apps import AppConfig
from django.core.management import call_command
from django.db.models.signals import post_migrate


class WorkOrdersConfig(AppConfig):
    name = "workorders"
    verbose_name = "Work orders"

    def ready(self) -> None:
        post_migrate.connect(_create_cache_table, sender=self)


def _create_cache_table(*, verbosity: int, using: str, **_: Any) -> None:
    """``migrate`` alone makes a database that can be used; without effect on other caches."""
    call_command("createcachetable", verbosity=max(verbosity - 1, 0), database=using)
