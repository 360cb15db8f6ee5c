"""Pages for signing in (by password, link or OpenID Connect provider), signing out, and the
account page with its list of sessions."""

import json
import logging
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from workorders.accounts import provider
from workorders.accounts.client_address import client_address
from workorders.accounts.password_throttle import PasswordAttempt
from workorders.accounts.sessions import end_other_sessions, end_session, sessions_of
from workorders.accounts.sign_in_links import use_link, user_of_link
from workorders.accounts.users import NOT_FOR_YOU, account_of_subject, update_role
from workorders.web.http import HtmxHttpRequest

logger = logging.getLogger(__name__)

WANTED_PAGE = "wanted_page"
"""Name of the signed cookie with the path to open after sign-in. A cookie needs no database row
for each anonymous visitor, as a session would."""
WANTED_PAGE_SECONDS = 3600
PROVIDER_FLOW = "provider_sign_in"
"""Name of the signed cookie with the ``provider.Flow`` as a JSON object, kept while the browser is
at the OpenID Connect provider."""
PROVIDER_FLOW_SECONDS = 900
PROVIDER_SESSION_SECONDS = 12 * 3600
"""Lifetime of a session that a provider has opened. The next sign-in checks again whether the
person still has access there, and in which groups."""


class SignInView(LoginView):
    """Django's sign-in view, which checks that ``next`` stays on this site, with a limit on
    attempts."""

    template_name = "sign_in.html"
    extra_context = {"provider_name": provider.provider_name}  # noqa: RUF012 (declared like this in Django)
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form, and store ``next`` in a cookie for a sign-in by link or provider."""
        response = super().get(request, *args, **kwargs)
        if page := self.get_redirect_url():
            response.set_signed_cookie(
                WANTED_PAGE,
                page,
                max_age=WANTED_PAGE_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Count the attempt before the password is checked; respond with 429 to a locked one.

        Otherwise many simultaneous attempts would all be checked before any is counted.
        """
        self.attempt = PasswordAttempt(request.POST.get("username", ""), client_address(request))
        if wait := self.attempt.seconds_to_wait():
            # A new form: rendering the submitted form would validate it, and so try the password.
            form = self.form_class(request, initial={"username": self.attempt.username})
            context = self.get_context_data(form=form, locked_seconds=wait)
            return self.render_to_response(context, status=429, headers={"Retry-After": str(wait)})
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        self.attempt.failed()
        return super().form_invalid(form)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        self.attempt.succeeded()
        response = super().form_valid(form)
        response.delete_cookie(WANTED_PAGE)
        return response


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows a page with a button; POST uses the link and signs its user in."""
    if request.method == "POST":
        user = use_link(token)
        return sign_in(request, user) if user else _refuse_link(request)
    user = user_of_link(token)
    if user is None:
        return _refuse_link(request)
    return render(request, "sign_in_by_link.html", {"person": user})


@login_not_required
@never_cache
@require_GET
def sign_in_by_provider(request: HttpRequest) -> HttpResponse:
    """Send the browser to the OpenID Connect provider; 404 where none is set up."""
    if not settings.OIDC_ISSUER:
        raise Http404
    callback = request.build_absolute_uri(reverse("provider_callback"))
    try:
        address, flow = provider.begin(callback)
    except provider.ProviderError as error:
        return _refuse_provider(request, error)
    response = redirect(address)
    response.set_signed_cookie(
        PROVIDER_FLOW,
        json.dumps(flow),
        max_age=PROVIDER_FLOW_SECONDS,
        path=reverse("provider_callback"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@login_not_required
@never_cache
@require_GET
def provider_callback(request: HttpRequest) -> HttpResponse:
    """Sign in the person whom the provider has sent back; 404 where no provider is set up.

    A failed sign-in leads back to the sign-in page. A person in no permitted group, or with an
    inactive account, gets 403.
    """
    if not settings.OIDC_ISSUER:
        raise Http404
    cookie = request.get_signed_cookie(PROVIDER_FLOW, "", max_age=PROVIDER_FLOW_SECONDS)
    try:
        person = provider.finish(request.GET.dict(), json.loads(cookie or "{}"))
    except provider.ProviderError as error:
        return _refuse_provider(request, error)
    user = account_of_subject(settings.OIDC_ISSUER, person.subject, person.name)
    if not update_role(user, person.groups):
        logger.warning("Sign-in refused: %s is in no group that may, or closed", user.username)
        raise PermissionDenied(NOT_FOR_YOU)
    response = sign_in(request, user)
    request.session.set_expiry(PROVIDER_SESSION_SECONDS)
    response.delete_cookie(PROVIDER_FLOW, path=request.path)
    return response


def _refuse_provider(request: HttpRequest, error: provider.ProviderError) -> HttpResponse:
    logger.warning("Single sign-on failed: %s", error)
    messages.error(request, f"Signing in with {provider.provider_name()} failed. Try again.")
    return redirect("sign_in")


def sign_in(request: HttpRequest, user: User) -> HttpResponse:
    """Sign ``user`` in, and redirect to the page that was requested before signing in."""
    login(request, user)
    wanted = request.get_signed_cookie(WANTED_PAGE, "", max_age=WANTED_PAGE_SECONDS)
    response = redirect(wanted or settings.LOGIN_REDIRECT_URL)
    response.delete_cookie(WANTED_PAGE)
    return response


def _refuse_link(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    messages.error(
        request,
        "This sign-in link was used before or is too old. "
        "A new one: .venv/bin/python manage.py sign_in_link",
    )
    return redirect("sign_in")


@never_cache
@require_safe
def account(request: HtmxHttpRequest) -> HttpResponse:
    """Show the user's name and role, and the browsers in which the user is signed in."""
    sessions = sessions_of(request.user, current=request.session.session_key)
    return render(request, "account.html", {"sessions": sessions})


@require_POST
def end_sessions_of_own(request: HtmxHttpRequest) -> HttpResponse:
    """End the session of the form field ``session``, a ``SignedInBrowser.id``.

    Without that field, end all sessions of the user except the current one.
    """
    if session_id := request.POST.get("session", ""):
        end_session(request.user, session_id)
        messages.success(request, "The session has ended")
    else:
        end_other_sessions(request.user, current=request.session.session_key)
        messages.success(request, "All other sessions have ended")
    return redirect("account")


sign_out = LogoutView.as_view()
