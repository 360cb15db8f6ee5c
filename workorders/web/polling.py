"""Polling: open pages request their own address again, and get 204 while nothing has changed.

A page names the version it shows in the query parameter ``version``. The version is
``<digest>-<timestamp>``: a hash of the data on the page, and the Unix timestamp in seconds of the
newest read from the runs API behind that data.
"""

import hashlib
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, NamedTuple

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control

from workorders.runs_api.client import RunsClient
from workorders.runs_api.clients import page_client, refresh_client
from workorders.runs_api.read_cache import NotModified
from workorders.web.http import HtmxHttpRequest, vary_on_htmx


class Pace(NamedTuple):
    """How often an open page asks for news, in seconds."""

    poll: int
    """Between two polls, where scripts run."""
    reload: int | None = None
    """Between two reloads of the whole page, where no scripts run; ``None``: by hand only."""


SOON = Pace(1, 3)
"""A run is about to appear."""
BUSY = Pace(2, 5)
"""Something on the page is queued or in progress."""
DOWN = Pace(2, 3)
"""The page could not be shown, and appears once the runs API responds."""
HEALTH = Pace(5)
LATE = Pace(15, 15)
"""A run may still appear, but not soon."""
IDLE = Pace(15)

MAX_VERSIONS = 10_000

_versions: dict[str, tuple[str, float]] = {}
"""By address, ``(digest, fresh until)``: the digest of this process's latest response, and the
``time.monotonic()`` timestamp until which the response counts as fresh."""


def polling[**P](
    view: Callable[Concatenate[HtmxHttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HtmxHttpRequest, P], HttpResponse]:
    """Decorator for the view of a page that polls its own address with ``?version=``.

    A poll gets 204 without a call of the view while the version it names is fresh, and whenever
    the read cache reports that nothing has changed.
    """

    @wraps(view)
    def wrapper(request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.htmx:
            return view(request, *args, **kwargs)
        digest, fresh_until = _versions.get(_address(request), ("", 0.0))
        if digest == _shown_version(request)[0] and time.monotonic() < fresh_until:
            return _unchanged()
        try:
            return view(request, *args, **kwargs)
        except NotModified:
            return _unchanged()

    return wrapper


def polling_client(request: HtmxHttpRequest) -> RunsClient:
    """The client for a polling page.

    Full page loads read from the API; polls may use reads that other requests have cached.
    """
    may_share = request.htmx and settings.SHARED_READ_SECONDS
    return refresh_client(_shown_version(request)[1]) if may_share else page_client()


def polling_page(
    request: HtmxHttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    version_of: object,
    client: RunsClient,
    pace: Pace | None,
) -> HttpResponse:
    """Render a page, or for its own poll only the template's partial ``live``.

    The response to a poll is 204 if the page already shows this version.

    Args:
        template: the template of the whole page.
        context: its context; ``version`` (for ``?version=``), ``refresh`` (whether the request
            is a poll) and ``pace`` are added.
        version_of: all data of the page that may change. The digest of its ``repr`` is the
            first part of the version.
        client: the client that has read the data, from ``polling_client``.
        pace: how often the page polls; ``None``: not at all, because nothing changes any more.
    """
    digest = digest_of(version_of)
    if len(_versions) >= MAX_VERSIONS:
        _versions.clear()
    age = max(time.time() - client.oldest_read, 0)
    _versions[_address(request)] = (digest, time.monotonic() + settings.SHARED_READ_SECONDS - age)
    if request.htmx and _shown_version(request)[0] == digest:
        return _unchanged()
    name = f"{template}#live" if request.htmx else template
    version = f"{digest}-{client.newest_read:.3f}"
    added = {"version": version, "refresh": request.htmx, "pace": pace}
    response = render(request, name, context | added)
    return _forbid_storing(response)


def digest_of(shown: object) -> str:
    """A short digest of the ``repr`` of what a page shows, as 16 hexadecimal digits."""
    return hashlib.blake2b(repr(shown).encode(), digest_size=8).hexdigest()


def _unchanged() -> HttpResponse:
    return _forbid_storing(HttpResponse(status=204))


def _forbid_storing(response: HttpResponse) -> HttpResponse:
    """Forbid caches to store the page.

    The browser's back button would otherwise show a page from before a run was started.
    """
    response = vary_on_htmx(response)
    patch_cache_control(response, no_store=True)
    return response


def _address(request: HtmxHttpRequest) -> str:
    """Path and query, without the parameters that only describe what the page already has."""
    query = request.GET.copy()
    for name in ("version", "log"):
        query.pop(name, None)
    return f"{request.path}?{query.urlencode()}"


def _shown_version(request: HtmxHttpRequest) -> tuple[str, float]:
    """Digest and Unix timestamp of ``?version=``; ``("", 0.0)`` if that is missing or malformed."""
    digest, _, timestamp = request.GET.get("version", "").partition("-")
    try:
        as_of = float(timestamp)
    except ValueError:
        return "", 0.0
    # A timestamp in the future would keep the page unchanged until then.
    return digest, as_of if 0 <= as_of <= time.time() else 0.0
