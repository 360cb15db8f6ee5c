from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseRedirectBase
from django_htmx.http import HttpResponseClientRedirect

from workorders.session_expiry import address_of_form


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
