"""Access to pages: only for people who signed in, here or at a trusted proxy."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import MiddlewareNotUsed, PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase, HttpResponseRedirectBase
from django_htmx.http import HttpResponseClientRedirect

from workorders.accounts.client_address import is_from_trusted_proxy
from workorders.accounts.users import MAX_NAME, NOT_FOR_YOU, ensure_account, update_role
from workorders.trigger_run.session_expiry import address_of_form

logger = logging.getLogger(__name__)

PROXY_SESSION = "told_by_proxy"
"""Session key of the identity that the trusted proxy named: the user name, then the sorted
group names, such as ``["alice", "staff"]``."""


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Require a signed-in user on every page that is not marked ``login_not_required``.

    htmx would insert a redirect's target into the middle of the open page. An htmx request
    therefore gets a redirect of the whole browser (``HX-Redirect``).
    """

    def handle_no_permission(  # type: ignore[override]  # any redirect will do
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseRedirectBase:
        htmx = getattr(request, "htmx", None)
        page = address_of_form(request)
        if not page and htmx:
            # Return to the page that the browser shows, not to the requested part of a page.
            page = htmx.current_url_abs_path
        elif not page and request.method in {"GET", "HEAD"}:
            page = request.get_full_path()
        if request.resolver_match and request.resolver_match.url_name == "cancel_run":
            page = request.path  # A GET is safe: it shows the dialog that asks first.
        # Other POSTs, such as signing out, have no page to return to.
        response = redirect_to_login(page or "/", self.get_login_url(view_func))
        return HttpResponseClientRedirect(response.url) if htmx else response


class TrustedHeaderMiddleware:
    """Sign in the user whom a trusted proxy names in a header (``TRUSTED_USER_HEADER``).

    The header counts only in requests from ``TRUSTED_PROXIES``. The proxy must set or remove the
    header in every request that it forwards. The session follows the header: a missing header
    ends the session, and a different name or different groups replace it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.TRUSTED_USER_HEADER:
            raise MiddlewareNotUsed
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view_func: Callable[..., Any], *_: object) -> None:
        if not getattr(view_func, "login_required", True):
            return  # Pages that are open to everybody, and the API, which checks keys itself.
        identity = _identity_from_proxy(request)
        if identity == request.session.get(PROXY_SESSION):
            return
        if request.user.is_authenticated:
            logout(request)
        if identity:
            _sign_in(request, *identity)


def _identity_from_proxy(request: HttpRequest) -> list[str] | None:
    """Return ``[user name, *sorted group names]``.

    The result is ``None`` when the request names nobody, does not come from a trusted proxy, or
    names something that cannot be the name of one person.
    """
    name = request.headers.get(settings.TRUSTED_USER_HEADER, "").strip()
    if not name or not is_from_trusted_proxy(request):
        return None
    if len(name) > MAX_NAME or not name.isprintable() or "," in name:
        # The web server joins two headers of the same name with a comma. One of the two was then
        # sent by the client.
        logger.warning("Sign-in refused: the proxy names no single person, but %r", name[:200])
        return None
    header = settings.TRUSTED_GROUPS_HEADER
    groups = request.headers.get(header, "").split(",") if header else []
    return [name, *sorted(group.strip() for group in groups if group.strip())]


def _sign_in(request: HttpRequest, name: str, *groups: str) -> None:
    user = ensure_account(name, can_trigger=False)
    if not update_role(user, groups):
        logger.warning("Sign-in refused: %s is in no group that may, or closed", name)
        raise PermissionDenied(NOT_FOR_YOU)
    login(request, user)
    request.session[PROXY_SESSION] = [name, *groups]
