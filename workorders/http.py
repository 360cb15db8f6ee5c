"""Small answers that several views give, with htmx or without."""

import hashlib
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    """A request of a signed-in person: every page but sign-in needs one."""

    htmx: HtmxDetails
    user: User


def go_to(request: HtmxHttpRequest, url: str) -> HttpResponse:
    """Send the browser to ``url``; a plain 302 would be followed inside the htmx request."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def live_page(
    request: HtmxHttpRequest, template: str, context: dict[str, Any], *, shows: object
) -> HttpResponse:
    """A page, or for its own refresh request only the part that lives.

    ``shows`` is the value the page is made of; its digest goes out as ``version``
    and comes back as ``?seen=``, and 204 says that nothing changed.
    """
    version = hashlib.blake2b(repr(shows).encode(), digest_size=8).hexdigest()
    if request.htmx and request.GET.get("seen") == version:
        response = HttpResponse(status=204)
    else:
        name = f"{template}#live" if request.htmx else template
        response = render(request, name, context | {"version": version, "refresh": request.htmx})
    response = for_this_request(response)
    # The browser's back button would show a stored page as it was before the run was started.
    patch_cache_control(response, no_store=True)
    return response


def for_this_request(response: HttpResponse) -> HttpResponse:
    """One address answers with a page or, to htmx, a part of it: no cache may mix them up."""
    patch_vary_headers(response, ["HX-Request"])
    patch_cache_control(response, private=True, no_cache=True)
    return response
