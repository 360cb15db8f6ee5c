from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("workorders.urls")),
]

if not settings.RUNS_API_URL:
    urlpatterns.append(path("api/v1/", include("workorders.embedded.api.urls")))

if settings.DEBUG:
    from workorders.styleguide import styleguide

    urlpatterns.append(path("styleguide/", styleguide, name="styleguide"))

handler403 = "workorders.error_pages.permission_denied"
handler404 = "workorders.error_pages.page_not_found"
handler500 = "workorders.error_pages.server_error"
