"""Error handlers: pages for 403, 404, 500, 503 and CSRF failures in the product's design."""

import sys
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from workorders.observability import request_id
from workorders.processes.database_outage import is_outage, outage
from workorders.trigger_run.session_expiry import address_of_form
from workorders.web.error_page import error_page
from workorders.web.http import HtmxHttpRequest, htmx_redirect


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler for 403. The message of ``exception``, if any, is shown to the user."""
    text = str(exception) or "Your account may not do this. Ask the person who runs this dashboard."
    return error_page(request, 403, "Not allowed", text)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler for 404. The message of a view's ``Http404`` is shown to the user."""
    # A text comes from a view. Django's resolver passes an object that lists the URL patterns,
    # which must not be shown.
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return error_page(request, 404, "Page not found", reason or "Nothing lives at this address.")


def database_away(error: Exception) -> HttpResponse:
    """Respond with 503 while the database cannot be used. This function sends no query itself.

    ``error`` is the database error; it is recorded as part of the outage.
    """
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
    # The template is rendered without the request, because the context processors of a request
    # read the user from the database.
    return HttpResponse(
        render_to_string("error.html", context),
        status=503,
        headers={"Retry-After": "2", "Cache-Control": "no-store"},
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Handler for 500. A database error gives the 503 page of ``database_away`` instead."""
    # Django calls handlers inside the except block, so the exception is still the current one.
    error = sys.exception()
    if is_outage(error):
        return database_away(error)
    text = "Something broke on our side. Nothing was started by it that the pages do not show."
    return error_page(request, 500, "Something went wrong", text, retry=True)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Handler for a failed CSRF check: show the submitted dialog again, or respond with 403.

    The CSRF token changes at every sign-in, so a dialog that was opened before has an old token.
    It is shown again with the typed values. A request from another origin always gets 403: the
    form is foreign, or a proxy is configured wrongly.

    ``reason`` is Django's text (``django.middleware.csrf``). The texts about tokens begin with
    "CSRF ", the texts about origins do not.
    """
    is_own_form = reason.startswith("CSRF ")
    if is_own_form and (address := address_of_form(request)):
        return htmx_redirect(cast("HtmxHttpRequest", request), address)
    text = (
        "The form was too old or came from another site, so nothing was done. "
        "Go back, reload the page and send it again."
    )
    return error_page(request, 403, "This form has expired", text)
