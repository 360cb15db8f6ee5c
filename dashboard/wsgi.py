"""Django as a WSGI application; ``dashboard.asgi`` is what the web server imports."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

from workorders.observability import metrics_files
from workorders.processes.concealment import conceal_environment

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

conceal_environment()
metrics_files.share()  # before anything is counted
_application = get_wsgi_application()

from workorders.runs_api import probe  # noqa: E402, needs the settings


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    # With the first request, not before: a server may load this and then fork.
    probe.ensure_running()
    return _application(environ, start_response)
