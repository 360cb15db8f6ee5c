"""The runs API's health as people see it: the banner on every page, and the status page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workorders.errors import RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.clients import default_client
from workorders.runs_api.diagnosis import public_address
from workorders.runs_api.health import Health
from workorders.runs_api.schemas import Isolation
from workorders.web.http import HtmxHttpRequest
from workorders.web.polling import HEALTH, polling, polling_client, polling_page


def runs_api_health(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """Context processor for the banner.

    It reads the recorded health and sends no request, so that no page waits for its banner.
    """
    health = default_client().record.health
    return {
        "runs_api": health,
        "runs_api_address": public_address(settings.RUNS_API_URL),
        "runs_api_banner_version": _banner_version(health),
    }


@require_safe
@polling
def runs_api_status(request: HtmxHttpRequest) -> HttpResponse:
    """The page with health, version, isolation and time limits of the runs API."""
    client = polling_client(request)
    version, isolation = _version(client), _isolation(client)
    health = default_client().record.health
    context = {
        "api_version": version,
        "isolation": isolation,
        "connect_timeout": settings.RUNS_API_CONNECT_TIMEOUT,
        "read_timeout": settings.RUNS_API_READ_TIMEOUT,
        "trigger_timeout": settings.RUNS_API_TRIGGER_TIMEOUT,
        "max_calls": settings.RUNS_API_MAX_CALLS,
    }
    return polling_page(
        request,
        "status/runs_api_status.html",
        context,
        version_of=(health, version, isolation),
        client=client,
        pace=HEALTH,
    )


def _version(client: RunsClient) -> str:
    """The API's version; ``""`` where it is not known.

    An API that is known to fail is not called: the page must not hang when it is needed most.
    """
    if default_client().record.health.is_wrong:
        return ""
    try:
        return client.version()
    except RunsAPIError:
        return ""


def _isolation(client: RunsClient) -> Isolation | None:
    """How workers isolate runs; ``None`` while the API fails, or if it does not report this."""
    if default_client().record.health.is_wrong:
        return None
    try:
        isolation = client.queue_health().isolation
    except RunsAPIError:
        return None
    return isolation if isolation.isolated or isolation.not_isolated else None


@require_safe
@never_cache
def runs_api_banner(request: HtmxHttpRequest) -> HttpResponse:
    """Return the current banner to an open page, or 204 if the page already shows it.

    The query parameter ``shown`` is the ``_banner_version`` on the page. With 204 the page
    replaces nothing, so screen readers do not announce the same banner again.
    """
    if request.GET.get("shown", "") == _banner_version(default_client().record.health):
        return HttpResponse(status=204)
    return render(request, "status/runs_api_banner.html")


def _banner_version(health: Health) -> str:
    """The name of the health state that the banner shows; ``""`` where there is no banner.

    The timestamp of the failure is not part of the version. Processes of the web server notice a
    failure at slightly different times, and the same banner would then be announced again.
    """
    return health.state.name if health.is_wrong else ""
