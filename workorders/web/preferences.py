"""Preferences of one browser: the colour theme, and whether single keys are shortcuts.

Preferences are stored in cookies, so that they apply without JavaScript and before signing in, and
so that the server renders a page in the right colours: a script would change them visibly late.
"""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from workorders.web.http import HtmxHttpRequest, htmx_redirect, vary_on_htmx

THEMES = {"system": "As the system", "light": "Light", "dark": "Dark"}
THEME_COOKIE, SHORTCUTS_COOKIE = "theme", "shortcuts"
COOKIE_SECONDS = 365 * 24 * 3600

SHORTCUTS = {
    "t": "Trigger New Run",
    "/": "Search work orders",
    "u": "Up: from a run to its work order, from there to the list",
    "?": "This help",
}
"""Key and description of each shortcut in ``static/js/shortcuts.js``."""


class PreferencesForm(forms.Form):
    """``back`` is the address of the page to return to; see ``_return_path``."""

    theme = forms.ChoiceField(label="Theme", choices=THEMES.items(), widget=forms.RadioSelect)
    shortcuts = forms.BooleanField(label="Single keys are shortcuts", required=False)
    back = forms.CharField(required=False)  # The template renders it, with a checked path.


def preferences(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``theme`` ("light", "dark" or "" for the system's) and
    ``has_shortcuts`` (boolean)."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "theme": theme if theme in THEMES and theme != "system" else "",
        # WCAG 2.1.4 requires that shortcuts of a single character can be turned off.
        "has_shortcuts": request.COOKIES.get(SHORTCUTS_COOKIE) != "off",
    }


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_preferences(request: HtmxHttpRequest) -> HttpResponse:
    """The form: as a page of its own, or as the dialog that the key "?" opens on any page.

    Invalid values give 422. Saved values last for ``COOKIE_SECONDS``.
    """
    form = PreferencesForm(request.POST or None, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        messages.success(request, "Preferences saved for this browser")
        response = htmx_redirect(request, _return_path(request, form.cleaned_data["back"]))
        for name, value in (
            (THEME_COOKIE, form.cleaned_data["theme"]),
            (SHORTCUTS_COOKIE, "on" if form.cleaned_data["shortcuts"] else "off"),
        ):
            response.set_cookie(
                name,
                value,
                max_age=COOKIE_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response
    name = "preferences/preferences_form.html" if request.htmx else "preferences/preferences.html"
    back = _return_path(request, str(form["back"].value() or ""))
    context = {"form": form, "back": back, "shortcut_list": SHORTCUTS.items()}
    status = 422 if form.errors else 200
    return vary_on_htmx(render(request, name, context, status=status))


def _initial(request: HtmxHttpRequest) -> dict[str, Any]:
    current = preferences(request)
    came_from = request.htmx.current_url if request.htmx else request.headers.get("Referer")
    return {
        "theme": current["theme"] or "system",
        "shortcuts": current["has_shortcuts"],
        "back": came_from or "",
    }


def _return_path(request: HtmxHttpRequest, url: str) -> str:
    """Path and query of ``url`` if that is another page of this site, otherwise "/"."""
    hosts = {request.get_host()}
    if not url_has_allowed_host_and_scheme(url, hosts, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    # Browsers read a path that begins with two slashes as the address of another site.
    is_path = path.startswith("/") and url_has_allowed_host_and_scheme(path, None)
    return path if is_path and parts.path != request.path else "/"
