"""The configuration of the Django app ``workorders``."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.core.management import call_command
from django.db.models.signals import post_migrate


class WorkOrdersConfig(AppConfig):
    name = "workorders"
    verbose_name = "Work orders"

    def ready(self) -> None:
        from workorders.accounts.sessions import note_sign_in  # noqa: PLC0415 (models cannot be imported before all apps are loaded)

        user_logged_in.connect(note_sign_in, dispatch_uid="note_sign_in")
        post_migrate.connect(_create_cache_table, sender=self)


def _create_cache_table(*, verbosity: int, using: str, **_: Any) -> None:
    """Create the table of the database cache, so that ``migrate`` makes a complete database.

    The command does nothing for other cache backends.
    """
    call_command("createcachetable", verbosity=max(verbosity - 1, 0), database=using)
