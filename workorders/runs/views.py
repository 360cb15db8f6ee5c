"""The page of a run, and its log as a file."""

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
from workorders.web.polling import polling, polling_client, polling_page


@require_safe
@polling
def run_detail(request: HtmxHttpRequest, run_id: str) -> HttpResponse:
    log_from = request.GET.get("log", "")
    goes_on = request.htmx and log_from.isdecimal() and len(log_from) < 16
    client = polling_client(request)
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
            return unavailable_page(request, error, title=f"Run {run_id}")
        detail = listed
    if host_paths.are_hidden(request):
        detail = host_paths.without_host_paths(detail)
    run = detail.run
    receipt, mistaken = reconciliation.origin_of(client, run, detail.work_order)
    wrong = next((attempt for attempt in mistaken if attempt.user == request.user), None)
    if wrong and toasts.withdraw(request, wrong, run):
        check_page = reverse("trigger_attempt", args=[wrong.work_order_id, wrong.key])
        return htmx_redirect(request, check_page)
    if receipt and receipt.is_seen:
        toasts.upgrade(request, run)
    context = {"detail": detail, "run": run, "work_order": detail.work_order, "receipt": receipt}
    # How far the log is read counts: it may have grown by more than one part at once.
    log_end = detail.log and detail.log.part.next_offset
    origin = receipt and (receipt.key, receipt.is_seen)
    shows = (run, detail.availability, detail.queue, log_end, origin, detail.from_list)
    return polling_page(request, "runs/run_detail.html", context, version_of=shows, client=client)


def _run_not_found(request: HtmxHttpRequest, run_id: str, client: RunsClient) -> HttpResponse:
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
        return unavailable_page(request, error, title="Log", comes_back=False)
    response = StreamingHttpResponse(file, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"{run_id}.log"
    )
    return response
