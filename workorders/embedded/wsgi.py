"""The runs API for a caller in the same process: ``httpx.WSGITransport(app=application)``."""

from typing import TYPE_CHECKING, Any

from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.urls import get_script_prefix, get_urlconf, set_script_prefix, set_urlconf

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class InProcessHandler(BaseHandler):
    """The project's addresses as a WSGI application, without what surrounds a page.

    The caller is a page that is being made, so this is no request of its own:

    * No middleware. Sessions, CSRF tokens, allowed hosts and redirects to HTTPS
      are for browsers; they would refuse or redirect this call, or do all their
      work twice. The API guards itself with its key.
    * No ``request_started`` and ``request_finished``: they close database
      connections, and the page around, or a test's transaction, still uses them.
    * The thread's script prefix and URL configuration belong to the page around
      and are put back.
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
