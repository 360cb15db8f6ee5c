"""A form that arrives after its session has ended leads back to its dialog after sign-in.

No run is started on the way. The dialog is shown again with everything that was typed, with the
same key and with the state of the work order that it had shown.
"""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import MAX_URL_LENGTH

from workorders.attempts.models import WITHDRAWN, TriggerAttempt
from workorders.runs_api.clients import page_client
from workorders.trigger_run.dialog import DialogContext
from workorders.trigger_run.forms import TriggerRunForm
from workorders.trigger_run.responses import show_dialog
from workorders.web.http import HtmxHttpRequest, htmx_redirect


def address_of_form(request: HttpRequest) -> str:
    """The address that shows the form of this POST again; ``""`` when the request has no such form.

    The typed values are query parameters beside ``session=ended``. Values that are too long for an
    address are replaced by ``dropped=1``.
    """
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
    if len(address) > MAX_URL_LENGTH:  # Django's sign-in does not redirect to longer addresses
        return f"{dialog}?session=ended&dropped=1"
    return address


def show_again(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """The dialog at an address of ``address_of_form``, or the outcome if the key was sent."""
    form = TriggerRunForm.resumed(request.GET)
    attempt = TriggerAttempt.objects.filter(key=form.initial["key"]).first()
    dialog = DialogContext(work_order_id=work_order_id, form=form)
    if attempt is None:
        return show_dialog(request, dialog, page_client())
    is_own = attempt.user == request.user and attempt.work_order_id == work_order_id
    if not is_own or attempt.outcome == WITHDRAWN:
        form.renew()
    elif attempt.state != TriggerAttempt.State.PENDING:
        return htmx_redirect(request, reverse("trigger_attempt", args=[work_order_id, attempt.key]))
    return show_dialog(request, dialog, page_client())
