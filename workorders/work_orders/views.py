"""The list of work orders, a work order's page, and the list of its attempts."""

from dataclasses import replace

from django.db.models import prefetch_related_objects
from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from workorders.attempts.models import TriggerAttempt
from workorders.errors import RunsAPIError
from workorders.runs import host_paths
from workorders.runs.loaders import load_optional_work_order
from workorders.runs_api.clients import page_client
from workorders.runs_api.schemas import WORK_ORDER_STATUSES
from workorders.trigger_run import reconciliation, run_search
from workorders.web.http import HtmxHttpRequest
from workorders.web.pages import page_number, unavailable_page
from workorders.web.polling import BUSY, IDLE, LATE, polling, polling_client, polling_page
from workorders.work_orders.loaders import list_work_orders, load_work_order

ATTEMPTS_PER_PAGE = 10


@require_safe
@polling
def work_order_list(request: HtmxHttpRequest) -> HttpResponse:
    """The list of work orders.

    Query parameters: ``status`` (one of ``WORK_ORDER_STATUSES``; other values are ignored), ``q``
    (text to search for, at most 200 characters) and ``page`` (from 1).
    """
    status = request.GET.get("status", "")
    status = status if status in WORK_ORDER_STATUSES else ""
    search = request.GET.get("q", "").replace("\0", "").strip()[:200]
    number, client = page_number(request), polling_client(request)
    try:
        found = list_work_orders(client, status=status, search=search, number=number)
    except RunsAPIError as error:
        return unavailable_page(request, error, title="Work Orders")
    context = {
        "found": found,
        "statuses": WORK_ORDER_STATUSES,
        "status": status,
        "search": search,
    }
    template = "work_orders/work_order_list.html"
    pace = BUSY if found.is_busy else IDLE
    return polling_page(request, template, context, version_of=found, client=client, pace=pace)


@require_safe
@polling
def work_order_detail(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """The page of a work order, with page ``?page=`` (from 1) of its runs; 404 if unknown."""
    client = polling_client(request)
    try:
        detail = load_work_order(client, work_order_id, number=page_number(request))
    except RunsAPIError as error:
        title = f"Work Order: {work_order_id}"
        if error.code == "NOT_FOUND":
            raise Http404(f"{title} does not exist, or no longer does.") from error
        return unavailable_page(request, error, title=title)
    if host_paths.are_hidden(request):
        detail = replace(detail, work_order=host_paths.without_host_path(detail.work_order))
    attempts, more_attempts = _attempts(work_order_id)
    reconciliation.link_listed_runs(client, detail.work_order, attempts)
    context = {
        "detail": detail,
        "work_order": detail.work_order,
        "attempts": attempts,
        "more_attempts": more_attempts,
    }
    return polling_page(
        request,
        "work_orders/work_order_detail.html",
        context,
        version_of=(detail, _versions(attempts)),
        client=client,
        pace=BUSY if detail.is_busy or _may_change_soon(attempts) else IDLE,
    )


@require_safe
def work_order_prompt(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """Download the prompt exactly as the runs API has it, as ``<work order ID>.txt``, UTF-8.

    Pages mark invisible characters in a prompt, and show only the beginning of a long prompt.
    """
    try:
        work_order = page_client().get_work_order(work_order_id)
    except RunsAPIError as error:
        if error.code == "NOT_FOUND":
            raise Http404(f"Work order {work_order_id} does not exist.") from error
        return unavailable_page(request, error, title="Prompt", comes_back=False)
    return HttpResponse(
        work_order.prompt,
        content_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(
                as_attachment=True, filename=f"{work_order_id}.txt"
            )
        },
    )


@require_safe
@polling
def attempt_list(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """Who tried to start runs of a work order in this dashboard, and with which outcome.

    The status is 404 where a page has no attempts.
    """
    number, client = page_number(request), polling_client(request)
    attempts, has_more = _attempts(work_order_id, number=number)
    if not attempts:
        raise Http404(f"Nobody has started a run of work order {work_order_id} here.")
    is_open = any(attempt.is_unconfirmed or attempt.may_be_found for attempt in attempts)
    if is_open and (work_order := load_optional_work_order(client, work_order_id)):
        reconciliation.link_listed_runs(client, work_order, attempts)
    context = {
        "work_order_id": work_order_id,
        "attempts": attempts,
        "number": number,
        "has_more": has_more,
    }
    pace = BUSY if _may_change_soon(attempts) else LATE
    return polling_page(
        request,
        "work_orders/attempt_list.html",
        context,
        version_of=_versions(attempts),
        client=client,
        pace=pace if is_open else None,
    )


def _may_change_soon(attempts: list[TriggerAttempt]) -> bool:
    """Whether the run of one of the attempts may still appear within seconds."""
    return any(
        (a.is_unconfirmed or a.may_be_found) and a.age < run_search.APPEARS_WITHIN for a in attempts
    )


def _versions(attempts: list[TriggerAttempt]) -> list[tuple[object, ...]]:
    """The key of each attempt, and those of its values on the page that may change."""
    return [(a.key, a.state, a.outcome, a.run_id, a.is_seen, a.appearance) for a in attempts]


def _attempts(work_order_id: str, *, number: int = 1) -> tuple[list[TriggerAttempt], bool]:
    """One page of attempts, newest first, and whether there are more.

    One row more than a page is read, so that one query is enough for both. Earlier submissions are
    rare: they are read only where there are some.
    """
    start, end = (number - 1) * ATTEMPTS_PER_PAGE, number * ATTEMPTS_PER_PAGE
    found = list(TriggerAttempt.objects.newest_of(work_order_id)[start : end + 1])
    prefetch_related_objects([it for it in found if it.was_resent], "earlier_submissions")
    return found[:ATTEMPTS_PER_PAGE], len(found) > ATTEMPTS_PER_PAGE
