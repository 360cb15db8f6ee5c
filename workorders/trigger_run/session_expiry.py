"""A form that arrives after its session has ended: back to its dialog, with everything typed.

Nothing is started on the way, whatever was pressed: the dialog is shown again,
and it is the same one, with its key and what it had shown.
"""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import MAX_URL_LENGTH

from workorders.attempts.models import WITHDRAWN, TriggerAttempt
from workorders.runs_api.clients import page_client
from workorders.trigger_run.forms import TriggerRunForm
from workorders.trigger_run.responses import show_dialog
from workorders.web.http import HtmxHttpRequest, htmx_redirect


def address_of_form(request: HttpRequest) -> str:
    """Where the form of this POST is shown again as it was typed; ``""``: it cannot be."""
    match = request.resolver_match
    if request.method != "POST" or match is None:
        return ""
    if match.url_name == "trigger_attempt":
        return request.path
    if match.url_name not in {"trigger_run", "start_notice"}:
        return ""
    fields = TriggerRunForm.base_fields
    dialog = reverse("trigger_run", args=[match.kwargs["work_order_id"]])
    typed = {name: value for name in fields if (value := request.POST.get(name))}
    address = f"{dialog}?{urlencode({'session': 'ended', **typed})}"
    if len(address) > MAX_URL_LENGTH:  # signing in would not lead to it
        return f"{dialog}?session=ended&dropped=1"
    return address


def show_again(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """The dialog at such an address, or what its key has come to where it was sent before."""
    form = TriggerRunForm.resumed(request.GET)
    attempt = TriggerAttempt.objects.filter(key=form.initial["key"]).first()
    if attempt is None:
        return show_dialog(request, work_order_id, form, page_client())
    is_own = attempt.user == request.user and attempt.work_order_id == work_order_id
    if not is_own or attempt.outcome == WITHDRAWN:
        form.renew()
    elif attempt.state != TriggerAttempt.State.PENDING:
        return htmx_redirect(request, reverse("trigger_attempt", args=[work_order_id, attempt.key]))
    return show_dialog(request, work_order_id, form, page_client())
