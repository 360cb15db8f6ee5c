from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include("workorders.urls")),
]

if not settings.RUNS_API_URL:
    urlpatterns.append(path("api/v1/", include("workorders.embedded.urls")))

handler403 = "workorders.error_pages.permission_denied"
handler404 = "workorders.error_pages.page_not_found"
handler500 = "workorders.error_pages.server_error"
