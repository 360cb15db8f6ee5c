"""The addresses of all pages. ``<id:…>`` is any ID of a runs API (``IdentifierConverter``)."""

from django.urls import path, register_converter
from django.views.generic import RedirectView

from workorders.accounts.views import (
    SignInView,
    account,
    end_sessions_of_own,
    provider_callback,
    sign_in_by_link,
    sign_in_by_provider,
    sign_out,
)
from workorders.cancel_run.views import cancel_run
from workorders.runs.views import run_detail, run_log
from workorders.status.views import runs_api_banner, runs_api_status
from workorders.trigger_run.start_notice import start_notice
from workorders.trigger_run.views import trigger_attempt, trigger_run
from workorders.web.converters import IdentifierConverter
from workorders.web.preferences import edit_preferences
from workorders.work_orders.views import (
    attempt_list,
    work_order_detail,
    work_order_list,
    work_order_prompt,
)

register_converter(IdentifierConverter, "id")

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="work_order_list"), name="home"),
    path("work-orders/", work_order_list, name="work_order_list"),
    path("work-orders/<id:work_order_id>/", work_order_detail, name="work_order_detail"),
    path("work-orders/<id:work_order_id>/prompt/", work_order_prompt, name="work_order_prompt"),
    path("work-orders/<id:work_order_id>/trigger/", trigger_run, name="trigger_run"),
    path(
        "work-orders/<id:work_order_id>/trigger/<uuid:key>/",
        trigger_attempt,
        name="trigger_attempt",
    ),
    path(
        "work-orders/<id:work_order_id>/trigger/<uuid:key>/notice/",
        start_notice,
        name="start_notice",
    ),
    path("work-orders/<id:work_order_id>/attempts/", attempt_list, name="attempt_list"),
    path("runs/<id:run_id>/", run_detail, name="run_detail"),
    path("runs/<id:run_id>/log/", run_log, name="run_log"),
    path("runs/<id:run_id>/cancel/", cancel_run, name="cancel_run"),
    path("preferences/", edit_preferences, name="preferences"),
    path("runs-api/", runs_api_status, name="runs_api_status"),
    path("runs-api/banner/", runs_api_banner, name="runs_api_banner"),
    path("sign-in/", SignInView.as_view(), name="sign_in"),
    path("sign-in/<str:token>/", sign_in_by_link, name="sign_in_by_link"),
    path("single-sign-on/", sign_in_by_provider, name="sign_in_by_provider"),
    path("single-sign-on/callback/", provider_callback, name="provider_callback"),
    path("account/", account, name="account"),
    path("account/sessions/end/", end_sessions_of_own, name="end_sessions"),
    path("sign-out/", sign_out, name="sign_out"),
]
