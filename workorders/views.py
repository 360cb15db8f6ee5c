"""The dashboard's pages. Each loads, validates, calls one service and responds."""

import uuid
from dataclasses import replace

from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from workorders import accepted_run, host_paths, run_search, services, settling, start_toast
from workorders.accounts.users import TRIGGER_PERMISSION
from workorders.attempts.models import TriggerAttempt
from workorders.error_pages import too_busy
from workorders.errors import NetworkError, RunsAPIError
from workorders.forms import TriggerRunForm
from workorders.log_download import LogFile, Slot
from workorders.outcomes import Checking
from workorders.reading import (
    list_work_orders,
    load_listed_run,
    load_optional_work_order,
    load_run,
    load_work_order,
)
from workorders.runs_api.client import RunsClient
from workorders.runs_api.clients import default_client, page_client, start_client
from workorders.runs_api.schemas import WORK_ORDER_STATUSES
from workorders.session_expiry import show_again
from workorders.trigger_dialog import respond, show_dialog, show_run_info
from workorders.web.http import HtmxHttpRequest, go_to
from workorders.web.polling import live, live_client, live_page

ATTEMPTS_PER_PAGE = 10
IDLE_SECONDS = 15
"""Between the refreshes of a page on which nothing is expected soon."""


@require_safe
@live
def work_order_list(request: HtmxHttpRequest) -> HttpResponse:
    status = request.GET.get("status", "")
    status = status if status in WORK_ORDER_STATUSES else ""
    search = request.GET.get("q", "").replace("\0", "").strip()[:200]
    number, client = _page_number(request), live_client(request)
    try:
        found = list_work_orders(client, status=status, search=search, number=number)
    except RunsAPIError as error:
        return _unavailable(request, error, title="Work Orders")
    context = {
        "found": found,
        "statuses": WORK_ORDER_STATUSES,
        "status": status,
        "search": search,
    }
    template = "work_orders/work_order_list.html"
    return live_page(request, template, context, shows=found, client=client)


@require_safe
@live
def work_order_detail(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    client = live_client(request)
    try:
        detail = load_work_order(client, work_order_id, number=_page_number(request))
    except RunsAPIError as error:
        title = f"Work Order: {work_order_id}"
        if error.code == "NOT_FOUND":
            raise Http404(f"{title} does not exist, or no longer does.") from error
        return _unavailable(request, error, title=title)
    if host_paths.are_hidden(request):
        detail = replace(detail, work_order=host_paths.without_host_path(detail.work_order))
    attempts, more_attempts = _attempts(work_order_id)
    settling.reconcile(client, detail.work_order, attempts)
    context = {
        "detail": detail,
        "work_order": detail.work_order,
        "attempts": attempts,
        "more_attempts": more_attempts,
        "seconds": 2 if detail.is_busy or _awaits(attempts) else IDLE_SECONDS,
    }
    shows = (detail, _shown(attempts))
    template = "work_orders/work_order_detail.html"
    return live_page(request, template, context, shows=shows, client=client)


@require_safe
def work_order_prompt(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """The prompt as the runs API has it: pages show it with marks, and of a long one a part."""
    try:
        work_order = page_client().get_work_order(work_order_id)
    except RunsAPIError as error:
        if error.code == "NOT_FOUND":
            raise Http404(f"Work order {work_order_id} does not exist.") from error
        return _unavailable(request, error, title="Prompt", comes_back=False)
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
@live
def attempt_list(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """Who tried to start runs of a work order here, and what came of it."""
    number, client = _page_number(request), live_client(request)
    attempts, has_more = _attempts(work_order_id, number=number)
    if not attempts:
        raise Http404(f"Nobody has started a run of work order {work_order_id} here.")
    is_open = any(attempt.is_unconfirmed or attempt.may_be_found for attempt in attempts)
    if is_open and (work_order := load_optional_work_order(client, work_order_id)):
        settling.reconcile(client, work_order, attempts)
    context = {
        "work_order_id": work_order_id,
        "attempts": attempts,
        "number": number,
        "has_more": has_more,
        "seconds": (2 if _awaits(attempts) else IDLE_SECONDS) if is_open else None,
    }
    shows, template = _shown(attempts), "work_orders/attempt_list.html"
    return live_page(request, template, context, shows=shows, client=client)


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


@require_safe
@live
def run_detail(request: HtmxHttpRequest, run_id: str) -> HttpResponse:
    log_from = request.GET.get("log", "")
    goes_on = request.htmx and log_from.isdecimal() and len(log_from) < 16
    client = live_client(request)
    try:
        detail = load_run(
            client,
            run_id,
            TriggerAttempt.work_order_of(run_id),
            log_from=int(log_from) if goes_on else None,
        )
    except RunsAPIError as error:
        if error.code == "NOT_FOUND":
            return _run_not_found(request, run_id, client)
        work_order_id = TriggerAttempt.work_order_of(run_id)
        failed = error.status >= 500 or isinstance(error, NetworkError)
        listed = load_listed_run(client, run_id, work_order_id) if failed else None
        if listed is None:
            return _unavailable(request, error, title=f"Run {run_id}")
        detail = listed
    if host_paths.are_hidden(request):
        detail = host_paths.without_host_paths(detail)
    run = detail.run
    receipt, mistaken = settling.origin_of(client, run, detail.work_order)
    wrong = next((attempt for attempt in mistaken if attempt.user == request.user), None)
    if wrong and start_toast.withdraw(request, wrong, run):
        check_page = reverse("trigger_attempt", args=[wrong.work_order_id, wrong.key])
        return go_to(request, check_page)
    if receipt and receipt.is_seen:
        start_toast.correct(request, run)
    context = {"detail": detail, "run": run, "work_order": detail.work_order, "receipt": receipt}
    # How far the log is read counts: it may have grown by more than one part at once.
    log_end = detail.log and detail.log.part.next_offset
    origin = receipt and (receipt.key, receipt.is_seen)
    shows = (run, detail.availability, detail.queue, log_end, origin, detail.from_list)
    return live_page(request, "runs/run_detail.html", context, shows=shows, client=client)


def _run_not_found(request: HtmxHttpRequest, run_id: str, client: RunsClient) -> HttpResponse:
    attempt = TriggerAttempt.objects.of_run(run_id).first()
    if attempt is None:
        raise Http404(f"Run {run_id} does not exist, or no longer does.")
    try:
        return accepted_run.respond(request, client, run_id, attempt)
    except RunsAPIError as error:
        if error.code == "NOT_FOUND":
            raise Http404(f"Run {run_id} and its work order no longer exist.") from error
        return _unavailable(request, error, title=f"Run {run_id}")


@require_GET
@cache_control(no_store=True)
def run_log(request: HtmxHttpRequest, run_id: str) -> HttpResponse | StreamingHttpResponse:
    """The whole log as a file, streamed part by part."""
    slot = Slot(request.user.pk)
    if not slot.take():
        return too_busy(request, "Too many logs are being downloaded at this moment.")
    client = default_client()
    parts = client.iterate_log(run_id)
    if host_paths.are_hidden(request):
        parts = host_paths.log_without_host_paths(client, run_id, parts)
    try:
        file = LogFile(next(parts, ""), parts, slot)
    except RunsAPIError as error:
        slot.close()
        if error.code == "NOT_FOUND":
            raise Http404(f"Run {run_id} has no log.") from error
        return _unavailable(request, error, title="Log", comes_back=False)
    response = StreamingHttpResponse(file, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"{run_id}.log"
    )
    return response


@permission_required(TRIGGER_PERMISSION, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def trigger_run(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """The confirmation dialog (F7.3) and the start of a run (F7.5, F7.6)."""
    if request.method != "POST":
        if "session" in request.GET:
            return show_again(request, work_order_id)
        if "version" in request.GET:
            return show_run_info(request, work_order_id)
        return show_dialog(request, work_order_id, TriggerRunForm.fresh(), page_client())
    form = TriggerRunForm(request.POST)
    if not form.is_valid():
        return show_dialog(request, work_order_id, form, page_client(), status=422)
    client = start_client()
    outcome = services.trigger_run(
        client,
        user=request.user,
        work_order_id=work_order_id,
        overrides=form.overrides,
        key=form.cleaned_data["key"],
        seen=form.cleaned_data["seen"],
    )
    return respond(request, work_order_id, form, outcome, client)


@permission_required(TRIGGER_PERMISSION, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def trigger_attempt(request: HtmxHttpRequest, work_order_id: str, key: uuid.UUID) -> HttpResponse:
    """What became of a start whose answer was lost: a POST looks, a GET offers to."""
    attempt = get_object_or_404(TriggerAttempt, work_order_id=work_order_id, key=key)
    form = TriggerRunForm.of(attempt) if attempt.user == request.user else TriggerRunForm.fresh()
    if request.method == "POST" or attempt.state not in TriggerAttempt.OPEN:
        outcome = services.look_again(default_client(), attempt)
    else:
        outcome = Checking(attempt.key, names_other_run=attempt.names_other_run)
    return respond(request, work_order_id, form, outcome, page_client())


def _unavailable(
    request: HtmxHttpRequest, error: RunsAPIError, *, title: str, comes_back: bool = True
) -> HttpResponse:
    """A page whose subject could not be loaded says so; nothing it showed is made up.

    ``comes_back``: it looks again by itself until it can be shown.
    """
    if request.htmx:
        return HttpResponse(status=503, headers={"HX-Trigger": "runs-api-fails"})
    context = {"title": title, "error": error, "comes_back": comes_back}
    return render(request, "api_unavailable.html", context, status=503)


def _page_number(request: HtmxHttpRequest) -> int:
    text = request.GET.get("page", "")
    return min(int(text), 1_000_000) if text.isdecimal() and len(text) < 10 and int(text) else 1
