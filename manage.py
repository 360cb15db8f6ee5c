#!/usr/bin/env python3
"""Django's command-line utility for this project."""

import os
import sys

from workorders.processes.concealment import conceal_environment

LONG_LIVED = {"serve", "worker"}


def main() -> None:
    if LONG_LIVED.intersection(sys.argv[1:2]):
        conceal_environment()  # before all that takes time
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError, InterfaceError, OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as exc:
        # A wrong setting is the operator's to mend: one sentence, no traceback.
        sys.exit(f"Cannot start: {exc}")
    except (DatabaseError, InterfaceError) as exc:
        # A database that is damaged or away is the operator's as well; a wrong query is not.
        if type(exc) not in {DatabaseError, InterfaceError, OperationalError}:
            raise
        from workorders.processes.database_outage import database_cannot_be_used

        sys.exit(f"Cannot start: {database_cannot_be_used(exc)}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
