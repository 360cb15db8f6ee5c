"""Pages that stay true: how they are refreshed, and how cheaply when nothing is new."""

import hashlib
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control

from workorders.runs_api.client import RunsClient
from workorders.runs_api.clients import page_client, refresh_client
from workorders.runs_api.read_cache import NotModified
from workorders.web.http import HtmxHttpRequest, vary_on_htmx

MAX_VERSIONS = 10_000

_versions: dict[str, tuple[str, float]] = {}
"""What each address showed last in this process, and until when (monotonic) that is fresh."""


def polling[**P](
    view: Callable[Concatenate[HtmxHttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HtmxHttpRequest, P], HttpResponse]:
    """A view whose page refreshes itself: with htmx, by its own address and ``?seen=``."""

    @wraps(view)
    def refreshed(request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.htmx:
            return view(request, *args, **kwargs)
        digest, good_until = _versions.get(_address(request), ("", 0.0))
        if digest == _seen(request)[0] and time.monotonic() < good_until:
            return _unchanged()
        try:
            return view(request, *args, **kwargs)
        except NotModified:
            return _unchanged()

    return refreshed


def polling_client(request: HtmxHttpRequest) -> RunsClient:
    """A page is read anew; its refresh takes what was read since by anybody."""
    shares = request.htmx and settings.SHARED_READ_SECONDS
    return refresh_client(_seen(request)[1]) if shares else page_client()


def polling_page(
    request: HtmxHttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    version_of: object,
    client: RunsClient,
) -> HttpResponse:
    """A page, or for its own refresh request only the part that lives.

    Args:
        version_of: the value the page is made of. Its digest goes out as ``version``, comes
            back as ``?seen=``, and 204 says that nothing has changed.
        client: what it was read by.
    """
    digest = hashlib.blake2b(repr(version_of).encode(), digest_size=8).hexdigest()
    if len(_versions) >= MAX_VERSIONS:
        _versions.clear()
    age = max(time.time() - client.oldest_read, 0)
    _versions[_address(request)] = (digest, time.monotonic() + settings.SHARED_READ_SECONDS - age)
    if request.htmx and _seen(request)[0] == digest:
        return _unchanged()
    name = f"{template}#live" if request.htmx else template
    version = f"{digest}-{client.newest_read:.3f}"
    response = render(request, name, context | {"version": version, "refresh": request.htmx})
    return _kept_by_nobody(response)


def _unchanged() -> HttpResponse:
    return _kept_by_nobody(HttpResponse(status=204))


def _kept_by_nobody(response: HttpResponse) -> HttpResponse:
    """The browser's back button would show a stored page as it was before the run was started."""
    response = vary_on_htmx(response)
    patch_cache_control(response, no_store=True)
    return response


def _address(request: HtmxHttpRequest) -> str:
    query = request.GET.copy()
    for name in ("seen", "log"):  # what the page has, not what it shows
        query.pop(name, None)
    return f"{request.path}?{query.urlencode()}"


def _seen(request: HtmxHttpRequest) -> tuple[str, float]:
    """The digest of what the page shows, and the moment of that; 0 where it shows nothing."""
    digest, _, moment = request.GET.get("seen", "").partition("-")
    try:
        as_of = float(moment)
    except ValueError:
        return "", 0.0
    # A moment that is not there yet would keep the page as it is until then.
    return digest, as_of if 0 <= as_of <= time.time() else 0.0
