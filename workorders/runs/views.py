"""The page of a run, and the download of its log."""

from contextlib import ExitStack

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_safe

from workorders.attempts.models import TriggerAttempt
from workorders.errors import NetworkError, RunsAPIError
from workorders.runs import host_paths, provisional
from workorders.runs.loaders import load_listed_run, load_run
from workorders.runs.log_download import LogFile, Slot
from workorders.runs_api.client import RunsClient
from workorders.runs_api.clients import default_client
from workorders.trigger_run import reconciliation, toasts
from workorders.web.error_page import too_busy
from workorders.web.http import HtmxHttpRequest, htmx_redirect
from workorders.web.pages import unavailable_page
from workorders.web.polling import BUSY, polling, polling_client, polling_page


@require_safe
@polling
def run_detail(request: HtmxHttpRequest, run_id: str) -> HttpResponse:
    """The page of a run.

    A poll states in the query parameter ``log`` up to which byte the page has the log, and gets
    the part after that.
    """
    log_from = request.GET.get("log", "")
    has_log = request.htmx and log_from.isdecimal() and len(log_from) < 16
    client = polling_client(request)
    try:
        detail = load_run(
            client,
            run_id,
            TriggerAttempt.work_order_of(run_id),
            log_from=int(log_from) if has_log else None,
        )
    except RunsAPIError as error:
        if error.code == "NOT_FOUND":
            return _run_not_found(request, run_id, client)
        work_order_id = TriggerAttempt.work_order_of(run_id)
        failed = error.status >= 500 or isinstance(error, NetworkError)
        listed = load_listed_run(client, run_id, work_order_id) if failed else None
        if listed is None:
            return unavailable_page(request, error, title=f"Run {run_id}")
        detail = listed
    if host_paths.are_hidden(request):
        detail = host_paths.without_host_paths(detail)
    run = detail.run
    attempt, misattributions = reconciliation.origin_of(client, run, detail.work_order)
    misattributed = next(
        (attempt for attempt in misattributions if attempt.user == request.user), None
    )
    if misattributed and toasts.withdraw(request, misattributed, run):
        check_page = reverse(
            "trigger_attempt", args=[misattributed.work_order_id, misattributed.key]
        )
        return htmx_redirect(request, check_page)
    if attempt and attempt.is_seen:
        toasts.upgrade(request, run)
    context = {"detail": detail, "run": run, "work_order": detail.work_order, "attempt": attempt}
    # The end of the part that was read, not the log's size: a log that has grown by more than one
    # part is read over several polls, each of which must count as a change.
    log_end = detail.log and detail.log.part.next_offset
    origin = attempt and (attempt.key, attempt.is_seen)
    version_of = (run, detail.availability, detail.queue, log_end, origin, detail.from_list)
    return polling_page(
        request,
        "runs/run_detail.html",
        context,
        version_of=version_of,
        client=client,
        pace=BUSY if detail.is_live else None,
    )


def _run_not_found(request: HtmxHttpRequest, run_id: str, client: RunsClient) -> HttpResponse:
    """404, unless the ID comes from the response to an attempt and may be provisional."""
    attempt = TriggerAttempt.objects.of_run(run_id).first()
    if attempt is None:
        raise Http404(f"Run {run_id} does not exist, or no longer does.")
    try:
        return provisional.respond(request, client, run_id, attempt)
    except RunsAPIError as error:
        if error.code == "NOT_FOUND":
            raise Http404(f"Run {run_id} and its work order no longer exist.") from error
        return unavailable_page(request, error, title=f"Run {run_id}")


@require_GET
@cache_control(no_store=True)
def run_log(request: HtmxHttpRequest, run_id: str) -> HttpResponse | StreamingHttpResponse:
    """Download the complete log as ``<run ID>.log``, UTF-8 text, streamed part by part.

    The status is 404 for a run without a log, and 503 while the runs API fails or too many
    downloads are in progress.
    """
    slot = Slot(request.user.pk)
    if not slot.take():
        return too_busy(request, "Too many logs are being downloaded at this moment.")
    client = default_client()
    parts = client.iterate_log(run_id)
    if host_paths.are_hidden(request):
        parts = host_paths.log_without_host_paths(client, run_id, parts)
    with ExitStack() as if_nothing_is_sent:
        if_nothing_is_sent.callback(slot.close)
        try:
            file = LogFile(next(parts, ""), parts, slot)
        except RunsAPIError as error:
            if error.code == "NOT_FOUND":
                raise Http404(f"Run {run_id} has no log.") from error
            return unavailable_page(request, error, title="Log", comes_back=False)
        if_nothing_is_sent.pop_all()
    response = StreamingHttpResponse(file, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"{run_id}.log"
    )
    return response
