"""Parts that the views of several pages share."""

from django.http import HttpResponse
from django.shortcuts import render

from workorders.errors import RunsAPIError
from workorders.web.http import HtmxHttpRequest
from workorders.web.polling import DOWN


def unavailable_page(
    request: HtmxHttpRequest, error: RunsAPIError, *, title: str, comes_back: bool = True
) -> HttpResponse:
    """Respond with 503 when the subject of a page could not be loaded.

    A refresh by htmx gets no content: the open page stays and shows that it is out of date.

    Args:
        error: why the subject could not be loaded.
        comes_back: whether the error page polls until the wanted page can be shown.
    """
    if request.htmx:
        return HttpResponse(status=503, headers={"HX-Trigger": "runs-api-fails"})
    context = {"title": title, "error": error, "pace": DOWN if comes_back else None}
    return render(request, "api_unavailable.html", context, status=503)


def page_number(request: HtmxHttpRequest) -> int:
    """The query parameter ``page``: an integer from 1 to 1,000,000; 1 for any other value."""
    text = request.GET.get("page", "")
    return min(int(text), 1_000_000) if text.isdecimal() and len(text) < 10 and int(text) else 1
