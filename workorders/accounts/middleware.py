"""Who may see a page: people who have signed in, or whom a trusted proxy has signed in."""

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
"""In the session: name and groups of which the trusted proxy told, ``["alice", "staff"]``."""


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Every page needs a signed-in person, and an htmx request must not be
    answered by a sign-in page that would be put into the middle of another."""

    def handle_no_permission(  # type: ignore[override]  # any redirect will do
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponseRedirectBase:
        htmx = getattr(request, "htmx", None)
        page = address_of_form(request)
        if not page and htmx:
            # Back to the page the person sees, not to the part that was asked for.
            page = htmx.current_url_abs_path
        elif not page and request.method in {"GET", "HEAD"}:
            page = request.get_full_path()
        if request.resolver_match and request.resolver_match.url_name == "cancel_run":
            page = request.path  # it asks first
        # Nothing else can be asked for by its address, signing out for example.
        answer = redirect_to_login(page or "/", self.get_login_url(view_func))
        return HttpResponseClientRedirect(answer.url) if htmx else answer


class TrustedHeaderMiddleware:
    """Believe a proxy that signs people in, and names them in a header (``TRUSTED_USER_HEADER``).

    Only requests that come from ``TRUSTED_PROXIES`` are believed. The proxy must set or remove the
    header in every request that it passes on. The session is what the proxy says: it ends where
    the header is missing, and follows its name and groups.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.TRUSTED_USER_HEADER:
            raise MiddlewareNotUsed
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view_func: Callable[..., Any], *_: object) -> None:
        if not getattr(view_func, "login_required", True):
            return  # open to all, or the API, which has keys
        told = _told_by_proxy(request)
        if told == request.session.get(PROXY_SESSION):
            return
        if request.user.is_authenticated:
            logout(request)
        if told:
            _sign_in_as_told(request, *told)


def _told_by_proxy(request: HttpRequest) -> list[str] | None:
    """A name and groups; ``None``: nobody is named, or not by a proxy that is trusted."""
    name = request.headers.get(settings.TRUSTED_USER_HEADER, "").strip()
    if not name or not is_from_trusted_proxy(request):
        return None
    if len(name) > MAX_NAME or not name.isprintable() or "," in name:
        # Two headers of a name arrive as one value with a comma: one of them is not the proxy's.
        logger.warning("Sign-in refused: the proxy names no single person, but %r", name[:200])
        return None
    header = settings.TRUSTED_GROUPS_HEADER
    groups = request.headers.get(header, "").split(",") if header else []
    return [name, *sorted(group.strip() for group in groups if group.strip())]


def _sign_in_as_told(request: HttpRequest, name: str, *groups: str) -> None:
    user = ensure_account(name, can_trigger=False)
    if not update_role(user, groups):
        logger.warning("Sign-in refused: %s is in no group that may, or closed", name)
        raise PermissionDenied(NOT_FOR_YOU)
    login(request, user, backend=settings.ACCOUNTS_BACKEND)
    request.session[PROXY_SESSION] = [name, *groups]
