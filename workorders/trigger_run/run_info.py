"""The open dialog's description of the run that it would create."""

from django.http import HttpResponse
from django.shortcuts import render

from workorders.availability import trigger_availability
from workorders.errors import RunsAPIError
from workorders.runs_api.clients import page_client
from workorders.trigger_run.dialog import DialogContext, changes_since
from workorders.trigger_run.forms import TriggerRunForm
from workorders.trigger_run.loaders import TriggerDialog
from workorders.web.http import HtmxHttpRequest, vary_on_htmx
from workorders.web.polling import digest_of


def show_run_info(request: HtmxHttpRequest, work_order_id: str) -> HttpResponse:
    """What the open dialog polls, with its own fields and ``version``.

    The response is 204 when the description has not changed, and when the work order cannot be
    read.
    """
    form = TriggerRunForm(request.GET)
    try:
        work_order = page_client().get_work_order(work_order_id)
    except RunsAPIError:
        return HttpResponse(status=204)
    loaded = TriggerDialog(work_order, trigger_availability(work_order), profiles=())
    news = _news(str(form["seen"].value()), loaded)
    version = digest_of((news, form.settings_words, work_order.next_run_number))
    if request.GET["version"] == version:
        return HttpResponse(status=204)
    dialog = DialogContext(
        work_order_id=work_order_id, form=form, loaded=loaded, news=news, version=version
    )
    template = "trigger_run/trigger_run_dialog.html#run_info"
    return vary_on_htmx(render(request, template, {"dialog": dialog}))


def _news(seen: str, loaded: TriggerDialog) -> str:
    """What has happened since the dialog was opened, in sentences."""
    news = " ".join(changes_since(seen, loaded.work_order))
    return f"{loaded.blocked_message}. {news}" if loaded.blocked_message else news
