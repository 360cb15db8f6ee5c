"""403, 404, 500 and CSRF-failure pages in the product's own look."""

import sys
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from workorders.observability import request_id
from workorders.processes.database_outage import DATABASE_ERRORS, outage
from workorders.trigger_run.session_expiry import address_of_form
from workorders.web.error_page import error_page
from workorders.web.http import HtmxHttpRequest, htmx_redirect


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = str(exception) or "Your account may not do this. Ask the person who runs this dashboard."
    return error_page(request, 403, "Not allowed", text)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # Only what a view says on purpose: the resolver's own message lists URL patterns.
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return error_page(request, 404, "Page not found", reason or "Nothing lives at this address.")


def database_away(error: Exception) -> HttpResponse:
    """While sessions, accounts and attempts cannot be read or written. Asks no database itself."""
    outage.note(error)
    context = {
        "title": "The database cannot be used right now",
        "text": (
            "It is away, locked, or its disk is full. Try again in a moment. If you were starting "
            "a run, go back and send the same form again: it starts one run, however often it is "
            "sent."
        ),
        "status": 503,
        "retry": True,
        "request_id": request_id.current(),
    }
    # Without the request: a page for somebody would look up who that is.
    return HttpResponse(
        render_to_string("error.html", context),
        status=503,
        headers={"Retry-After": "2", "Cache-Control": "no-store"},
    )


def server_error(request: HttpRequest) -> HttpResponse:
    # Django calls this while it handles the exception.
    error = sys.exception()
    if isinstance(error, DATABASE_ERRORS):
        return database_away(error)
    text = "Something broke on our side. Nothing was started by it that the pages do not show."
    return error_page(request, 500, "Something went wrong", text, retry=True)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The token changes with every sign-in, so a dialog that was open then is shown again.

    Not for what comes from another origin: that is no form of ours, or a proxy is set up wrongly.
    """
    is_own_form = reason.startswith("CSRF ")
    if is_own_form and (address := address_of_form(request)):
        return htmx_redirect(cast("HtmxHttpRequest", request), address)
    text = (
        "The form was too old or came from another site, so nothing was done. "
        "Go back, reload the page and send it again."
    )
    return error_page(request, 403, "This form has expired", text)
