"""What people see of the runs API's health: the banner on every page, and the panel."""

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
from workorders.web.polling import polling, polling_client, polling_page


def runs_api_health(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """Context processor: the record alone is read, so that no page waits for its banner."""
    health = default_client().record.health
    return {
        "runs_api": health,
        "runs_api_address": public_address(settings.RUNS_API_URL),
        "runs_api_banner_version": _banner_version(health),
    }


@require_safe
@polling
def runs_api_status(request: HtmxHttpRequest) -> HttpResponse:
    """The panel."""
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
    shows = (health, version, isolation)
    return polling_page(
        request, "status/runs_api_status.html", context, version_of=shows, client=client
    )


def _version(client: RunsClient) -> str:
    """Asked for while the API is well; a panel that hangs with it would be of no use."""
    if default_client().record.health.is_wrong:
        return ""
    try:
        return client.version()
    except RunsAPIError:
        return ""


def _isolation(client: RunsClient) -> Isolation | None:
    """None while the API is not well, and where it does not tell."""
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
    """For an open page: the banner as it is now, or 204 while it stays as it was.

    What is not swapped is not announced again by a screen reader.
    """
    if request.GET.get("shown", "") == _banner_version(default_client().record.health):
        return HttpResponse(status=204)
    return render(request, "status/runs_api_banner.html")


def _banner_version(health: Health) -> str:
    """What the banner says, in short; empty: there is none.

    Not since when: another process of the web server may have noticed a moment later,
    and a banner that comes anew is read out anew.
    """
    return health.state.name if health.is_wrong else ""
