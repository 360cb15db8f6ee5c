"""Parts that the views of several pages share."""

from django.http import HttpResponse
from django.shortcuts import render

from workorders.errors import RunsAPIError
from workorders.web.http import HtmxHttpRequest


def unavailable_page(
    request: HtmxHttpRequest, error: RunsAPIError, *, title: str, comes_back: bool = True
) -> HttpResponse:
    """A page whose subject could not be loaded says so; nothing it showed is made up.

    ``comes_back``: it looks again by itself until it can be shown.
    """
    if request.htmx:
        return HttpResponse(status=503, headers={"HX-Trigger": "runs-api-fails"})
    context = {"title": title, "error": error, "comes_back": comes_back}
    return render(request, "api_unavailable.html", context, status=503)


def page_number(request: HtmxHttpRequest) -> int:
    text = request.GET.get("page", "")
    return min(int(text), 1_000_000) if text.isdecimal() and len(text) < 10 and int(text) else 1
