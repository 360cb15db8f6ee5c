"""Small answers that several views give, with htmx or without."""

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.cache import patch_cache_control, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    """A request of a signed-in person: every page but sign-in needs one."""

    htmx: HtmxDetails
    user: User


def htmx_redirect(request: HtmxHttpRequest, url: str) -> HttpResponse:
    """Send the browser to ``url``; a plain 302 would be followed inside the htmx request."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def vary_on_htmx(response: HttpResponse) -> HttpResponse:
    """One address answers with a page or, to htmx, a part of it: no cache may mix them up."""
    patch_vary_headers(response, ["HX-Request"])
    patch_cache_control(response, private=True, no_cache=True)
    return response
