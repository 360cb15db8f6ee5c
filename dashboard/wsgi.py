"""Django as a WSGI application. The web server imports ``dashboard.asgi``, which uses this."""

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
metrics_files.share()  # before the first metric is counted
_application = get_wsgi_application()

from workorders.runs_api import probe  # noqa: E402 (needs the settings)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    # The probe's thread starts with the first request: a server may fork after loading this.
    probe.ensure_running()
    return _application(environ, start_response)
