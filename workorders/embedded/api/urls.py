"""The routes of the runs API, mounted under ``/api/v1/``. ``operations`` describes each view."""

from django.urls import path, re_path

from workorders.embedded.api import document, health, logs, profiles, queue, runs, work_orders
from workorders.embedded.api.responses import any_method, api, unknown_route
from workorders.embedded.models import APIKey

urlpatterns = [
    path("health", api(open_to_all=True, GET=health.health)),
    path("health/live", api(open_to_all=True, GET=health.live)),
    path("health/ready", api(open_to_all=True, GET=health.ready)),
    path("openapi.json", api(GET=document.document)),
    path(
        "work-orders",
        api(GET=work_orders.list_work_orders, POST=work_orders.create_work_order),
    ),
    path(
        "work-orders/<str:work_order_id>",
        api(GET=work_orders.show_work_order, DELETE=work_orders.cancel_work_order),
    ),
    path(
        "work-orders/<str:work_order_id>/runs",
        api(needs=APIKey.Scope.TRIGGER, POST=runs.trigger_run),
    ),
    path("runs", api(GET=runs.list_runs)),
    path("runs/<str:run_id>", api(GET=runs.show_run)),
    path("runs/<str:run_id>/log", api(GET=logs.show_log)),
    path("runs/<str:run_id>/cancel", api(needs=APIKey.Scope.TRIGGER, POST=runs.cancel_run)),
    path("profiles", api(GET=profiles.list_profiles)),
    path("profiles/<str:name>", api(GET=profiles.show_profile)),
    path("queue/health", api(GET=queue.queue_health)),
    path("queue/position/<str:work_order_id>", api(GET=queue.queue_position)),
    re_path(r"^.*$", any_method(unknown_route)),
]
