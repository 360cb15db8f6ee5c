"""How one browser shows the dashboard: its colours, and whether keys are shortcuts.

Kept in cookies, so that a page arrives in the right colours (a script would come too
late and the page would flash), without JavaScript too, and before anybody has signed in.
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
"""What ``static/js/shortcuts.js`` listens to."""


class PreferencesForm(forms.Form):
    theme = forms.ChoiceField(label="Theme", choices=THEMES.items(), widget=forms.RadioSelect)
    shortcuts = forms.BooleanField(label="Single keys are shortcuts", required=False)
    back = forms.CharField(required=False)  # the template's own: it shows a checked address


def preferences(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what every page is drawn with."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "theme": theme if theme in THEMES and theme != "system" else "",
        # A shortcut of one character can be switched off (WCAG 2.1.4).
        "has_shortcuts": request.COOKIES.get(SHORTCUTS_COOKIE) != "off",
    }


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit_preferences(request: HtmxHttpRequest) -> HttpResponse:
    """A page of its own, and what the key "?" opens over another one."""
    form = PreferencesForm(request.POST or None, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        messages.success(request, "Preferences saved for this browser")
        response = htmx_redirect(request, _own_page(request, form.cleaned_data["back"]))
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
    back = _own_page(request, str(form["back"].value() or ""))
    context = {"form": form, "back": back, "shortcut_list": SHORTCUTS.items()}
    status = 422 if form.errors else 200
    return vary_on_htmx(render(request, name, context, status=status))


def _initial(request: HtmxHttpRequest) -> dict[str, Any]:
    shown = preferences(request)
    came_from = request.htmx.current_url if request.htmx else request.headers.get("Referer")
    return {
        "theme": shown["theme"] or "system",
        "shortcuts": shown["has_shortcuts"],
        "back": came_from or "",
    }


def _own_page(request: HtmxHttpRequest, url: str) -> str:
    """Where the person came from, as a path; nowhere else than on this site, and not here."""
    hosts = {request.get_host()}
    if not url_has_allowed_host_and_scheme(url, hosts, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    # A path that begins with two slashes is another site's address.
    is_path = path.startswith("/") and url_has_allowed_host_and_scheme(path, None)
    return path if is_path and parts.path != request.path else "/"
