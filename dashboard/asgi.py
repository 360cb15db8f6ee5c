"""The ASGI application that the web server imports: the gateway, with Django behind it."""

from django.conf import settings
from django.urls import reverse

from dashboard.wsgi import application as wsgi_application
from workorders.processes.gateway import Gateway, Limits

application = Gateway(
    wsgi_application,
    Limits(
        threads=settings.WEB_THREADS,
        body_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
        body_seconds=settings.WEB_BODY_SECONDS,
        send_seconds=settings.WEB_SEND_SECONDS,
        hung_seconds=settings.WEB_HUNG_SECONDS,
        password_path=reverse("sign_in"),
    ),
)
