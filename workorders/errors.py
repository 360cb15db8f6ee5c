"""The exceptions for everything that can go wrong between the dashboard and the runs API.

``workorders.error_table`` says how the dashboard handles each error code.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workorders.error_table import ErrorHandling, handling_for, known_code
from workorders.text.legible import legible

LONGEST_WORDS = 1_000
"""The most characters of the API's text about one error that people are shown."""


class RunsAPIError(Exception):
    """The runs API refused, failed or could not be reached.

    Attributes:
        code: the API's ``error.code``: a key of ``ERROR_TABLE``, or a code of this API only.
        message: the API's ``error.message``, or the reason why there is no valid response;
            may be empty.
        status: the HTTP status; 0 when there was no response.
        details: the API's ``error.details``, a JSON object; may be empty.
        request_id: the ID by which the people who run the API can find the request; may be empty.
        retry_after: the seconds to wait, from ``Retry-After`` (RFC 9110 10.2.3); ``None``: the
            API does not say.
        diagnosis: a sentence that says what is wrong with the server; empty if the server is
            not at fault.
    """

    code = "UNKNOWN"
    said_by_api = True
    """Whether the API itself reported the error, in its envelope."""
    diagnosis = ""

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "",
        status: int = 0,
        details: Mapping[str, Any] | None = None,
        request_id: str = "",
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.message = message
        self.status = status
        self.details = details or {}
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def handling(self) -> "ErrorHandling":
        """The row of ``ERROR_TABLE`` that applies to the error."""
        return handling_for(self.code, self.status)

    @property
    def known_code(self) -> str:
        """The key of ``ERROR_TABLE`` that applies to the error."""
        return known_code(self.code, self.status)

    @property
    def outcome_unknown(self) -> bool:
        """Whether a run may have been started despite the error.

        Three cases prove that no run was started: the request was never sent
        (``NetworkError.sent``), the API itself refused with a status below 500, or the API sent
        SERVER_BUSY with ``details.started`` false.
        """
        if self.said_by_api and self.code == "SERVER_BUSY" and self.details.get("started") is False:
            return False
        return self.status >= 500 or not self.said_by_api

    @property
    def user_message(self) -> str:
        """The sentence that operators read."""
        message = self.handling.message
        if self.code in {"RATE_LIMITED", "SERVER_BUSY"} and self.retry_after:
            unit = "second" if self.retry_after == 1 else "seconds"
            return message.replace("in a moment", f"in {self.retry_after} {unit}")
        return message

    @property
    def reference(self) -> str:
        """The API's message, code and request ID, which operators quote when they ask for help."""
        parts = [self.message, self.code, f"request {self.request_id}" if self.request_id else ""]
        return " · ".join(legible(part, LONGEST_WORDS) for part in parts if part)

    @property
    def field_errors(self) -> dict[str, str]:
        """The messages of ``details.errors`` by the name of the form field.

        ``details.errors`` is ``[{"path": string or [string, ...], "message": string}, ...]``. A
        path in one string is separated by dots, and the last part names the field. The key
        ``""`` holds the message for fields that the form does not have. Only the first message
        for each field is kept.
        """
        found: dict[str, str] = {}
        errors = self.details.get("errors")
        for error in errors if isinstance(errors, Sequence) else ():
            if not isinstance(error, Mapping):
                continue
            path = error.get("path")
            path = path.split(".") if isinstance(path, str) else path
            last = path[-1] if isinstance(path, Sequence) and path else ""
            text = str(error.get("message") or self.message)
            found.setdefault(FIELDS.get(str(last), ""), legible(text, LONGEST_WORDS))
        return found


FIELDS = {"maxIterations": "max_iterations", "profileName": "profile_name"}
"""The names of fields in JSON, and in the form."""


class NetworkError(RunsAPIError):
    """No response: connection refused or reset, time-out, or a host name that does not resolve.

    Attributes:
        sent: false only if the request provably was not sent.
        timed_out: whether the call ended because its time was used up.
    """

    code = "NETWORK_ERROR"
    said_by_api = False

    def __init__(self, message: str = "", *, sent: bool = True, timed_out: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.timed_out = timed_out

    @property
    def outcome_unknown(self) -> bool:
        return self.sent


class InvalidResponse(RunsAPIError):  # noqa: N818
    """A response that breaks the API's contract: not JSON, not the envelope, or without its IDs."""

    said_by_api = False

    @property
    def outcome_unknown(self) -> bool:
        return self.status != 429  # a proxy refused to forward the request
