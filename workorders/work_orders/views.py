"""The list of work orders, the page of one, and the list of its attempts."""

from dataclasses import replace

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
from workorders.web.polling import polling, polling_client, polling_page
from workorders.work_orders.loaders import list_work_orders, load_work_order

ATTEMPTS_PER_PAGE = 10
IDLE_SECONDS = 15
"""Between the refreshes of a page on which nothing is expected soon."""


@require_safe
@polling
def work_order_list(request: HtmxHttpRequest) -> HttpResponse:
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
    return polling_page(request, template, context, version_of=found, client=client)


@require_safe
@polling
def work_order_detail(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
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
        "seconds": 2 if detail.is_busy or _awaits(attempts) else IDLE_SECONDS,
    }
    shows = (detail, _shown(attempts))
    template = "work_orders/work_order_detail.html"
    return polling_page(request, template, context, version_of=shows, client=client)


@require_safe
def work_order_prompt(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """The prompt as the runs API has it: pages show it with marks, and of a long one a part."""
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
    """Who tried to start runs of a work order here, and what came of it."""
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
        "seconds": (2 if _awaits(attempts) else IDLE_SECONDS) if is_open else None,
    }
    shows, template = _shown(attempts), "work_orders/attempt_list.html"
    return polling_page(request, template, context, version_of=shows, client=client)


def _awaits(attempts: list[TriggerAttempt]) -> bool:
    """Whether one of them may come to something at any moment."""
    return any(
        (a.is_unconfirmed or a.may_be_found) and a.age < run_search.APPEARS_WITHIN for a in attempts
    )


def _shown(attempts: list[TriggerAttempt]) -> list[tuple[object, ...]]:
    """What an open page shows of attempts, as far as it may change."""
    return [(a.key, a.state, a.outcome, a.run_id, a.is_seen, a.appearance) for a in attempts]


def _attempts(work_order_id: str, *, number: int = 1) -> tuple[list[TriggerAttempt], bool]:
    """One page, and whether there are more: one query."""
    start, end = (number - 1) * ATTEMPTS_PER_PAGE, number * ATTEMPTS_PER_PAGE
    found = list(TriggerAttempt.objects.newest_of(work_order_id)[start : end + 1])
    return found[:ATTEMPTS_PER_PAGE], len(found) > ATTEMPTS_PER_PAGE
