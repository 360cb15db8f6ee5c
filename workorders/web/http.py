"""Requests and responses that several views share, with htmx or without."""

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_cache_control, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    """A request of a signed-in user, with the attribute that django-htmx adds.

    The type of ``user`` holds on every page that requires signing in.
    """

    htmx: HtmxDetails
    user: User


def htmx_redirect(request: HtmxHttpRequest, url: str) -> HttpResponse:
    """Send the browser to ``url``.

    An htmx request gets the header ``HX-Redirect``: htmx would follow a 302 itself and insert the
    target into the open page.
    """
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def vary_on_htmx(response: HttpResponse) -> HttpResponse:
    """Keep caches from mixing up a page and the part of it that htmx gets at the same address."""
    patch_vary_headers(response, ["HX-Request"])
    patch_cache_control(response, private=True, no_cache=True)
    return response
