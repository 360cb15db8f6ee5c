"""The runs API as a WSGI application for a caller in the same process.

Use: ``httpx.WSGITransport(app=application)``.
"""

from typing import TYPE_CHECKING, Any

from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.urls import get_script_prefix, get_urlconf, set_script_prefix, set_urlconf

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class InProcessHandler(BaseHandler):
    """The project's URLs as a WSGI application for calls from inside another request.

    The caller is a page that is being rendered. Compared with a request from outside:

    * No middleware runs. Sessions, CSRF tokens, allowed hosts and redirects to HTTPS are for
      browsers: the middleware would refuse or redirect the call, or do its work twice. The API
      is protected by its key.
    * The signals ``request_started`` and ``request_finished`` are not sent. Their receivers
      close database connections that the outer page, or a test's transaction, still uses.
    * The thread's script prefix and URL configuration belong to the outer page, so they are
      restored after the call.
    """

    def __init__(self) -> None:
        self.load_middleware()

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(
            self._get_response  # type: ignore[attr-defined]
        )

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        prefix, urlconf = get_script_prefix(), get_urlconf()
        try:
            set_script_prefix("/")
            response = self.get_response(WSGIRequest(environ))
        finally:
            set_script_prefix(prefix)
            set_urlconf(urlconf)
        if not isinstance(response, HttpResponse):
            raise TypeError(f"{environ['PATH_INFO']} streams its answer; no runs API does")
        status = f"{response.status_code} {response.reason_phrase}"
        start_response(status, list(response.items()))
        return [response.content]


application = InProcessHandler()
