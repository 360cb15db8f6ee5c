"""Says what is wrong with the runs API, in a sentence for the person who runs the dashboard."""

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import httpx
from django.conf import settings

from workorders.runs_api.health import GATEWAY_STATUSES

NO_CONNECTION = (httpx.ConnectError, httpx.ConnectTimeout)


def public_address(url: str) -> str:
    """Return ``url`` without the parts that may be secret: user, password, query, fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:  # another server wrote this URL, into its Location header
        return "an address that is none"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def diagnosis_of(outcome: httpx.Response | Exception, content: bytes = b"") -> str:
    """Return a sentence that says why ``outcome`` is not a response of a runs API.

    Args:
        outcome: the HTTP response, or the exception that was raised instead.
        content: the body of the response.
    """
    address = public_address(settings.RUNS_API_URL)
    which = f"RUNS_API_URL is {address}" if address else "The embedded runs API is in use"
    if isinstance(outcome, httpx.Response):
        return f"{which}, and {_of_response(outcome, content)}"
    return f"{which}, and {_of_failure(outcome)}"


def _of_response(response: httpx.Response, content: bytes) -> str:  # noqa: PLR0911
    status = response.status_code
    start = content[:500].lstrip().lower()
    if status in {401, 403}:
        return f"the server there does not accept RUNS_API_KEY (HTTP {status})."
    if response.is_redirect:
        target = public_address(response.headers.get("location", ""))
        return f"the server there sends on to {target} (HTTP {status}), which is not followed."
    if status in GATEWAY_STATUSES:
        return f"what answers there cannot reach the runs API behind it (HTTP {status})."
    html = "html" in response.headers.get("content-type", "") or start.startswith(b"<")
    if html:
        return f"an HTML page (HTTP {status}) answers there, not a runs API."
    if status == 404:
        return "the server there knows no /api/v1 (HTTP 404). Is it a runs API, at this path?"
    if start[:1] in {b"{", b"["}:
        return f"JSON that is not a runs API's (HTTP {status}) answers there."
    return f"something answers there that is not a runs API (HTTP {status})."


def _of_failure(failure: Exception) -> str:  # noqa: PLR0911
    causes = list(_causes(failure))
    host = urlsplit(settings.RUNS_API_URL).hostname
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its TLS certificate is not accepted: {cause.verify_message}."
        if isinstance(cause, ssl.SSLError):
            return "the server there does not speak TLS. Should the address begin with http://?"
        if isinstance(cause, socket.gaierror):
            return f"the name {host} cannot be resolved ({cause.strerror})."
        if isinstance(cause, ConnectionRefusedError):
            return "nothing listens there: the connection was refused."
    if isinstance(failure, httpx.PoolTimeout):
        count = settings.RUNS_API_MAX_CALLS
        return f"{count} calls already wait for it, the most at a time. This one was not sent."
    if isinstance(failure, httpx.ConnectTimeout):
        seconds = settings.RUNS_API_CONNECT_TIMEOUT
        return f"there was no connection within {seconds:g} s (RUNS_API_CONNECT_TIMEOUT)."
    if isinstance(failure, httpx.TimeoutException):
        return "the server there did not answer in time."
    return f"the server there gave no answer: {str(failure).rstrip('.') or type(failure).__name__}."


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__
