"""What can go wrong between the dashboard and the runs API, and what people are told.

``ERROR_TABLE`` is the specification's error table plus the codes it leaves open: for
each code the words, what the dialog does, and whether sending again may help.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from workorders.error_table import ErrorHandling, handling_for, known_code
from workorders.text.legible import legible

LONGEST_WORDS = 1_000
"""How much an API may say about one error, in characters."""


class RunsAPIError(Exception):
    """The runs API refused, failed or could not be reached.

    Attributes:
        code: a key of ``ERROR_TABLE``, or one that only this API knows.
        message: the API's own words; empty when it said nothing.
        status: the HTTP status; 0 when there was no answer.
        details: the API's ``error.details``.
        request_id: what to quote to the people who run the API.
        retry_after: seconds the API asks to wait, from ``Retry-After`` (RFC 9110 10.2.3).
        diagnosis: what that tells of the server, where it is not a runs API's answer.
    """

    code = "UNKNOWN"
    said_by_api = True
    """Whether the answer is the API's own, in its envelope."""
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
        return handling_for(self.code, self.status)

    @property
    def known_code(self) -> str:
        """The key of ``ERROR_TABLE`` that it amounts to."""
        return known_code(self.code, self.status)

    @property
    def outcome_unknown(self) -> bool:
        """Whether a run may have been started all the same.

        Only a request that never went out, a refusal below 500 by the API itself, and its word
        that nothing was started, rule it out.
        """
        if self.said_by_api and self.code == "SERVER_BUSY" and self.details.get("started") is False:
            return False
        return self.status >= 500 or not self.said_by_api

    @property
    def user_message(self) -> str:
        """The sentence an operator reads."""
        message = self.handling.message
        if self.code in {"RATE_LIMITED", "SERVER_BUSY"} and self.retry_after:
            unit = "second" if self.retry_after == 1 else "seconds"
            return message.replace("in a moment", f"in {self.retry_after} {unit}")
        return message

    @property
    def reference(self) -> str:
        """The API's words, code and request ID: what to quote when asking for help."""
        parts = [self.message, self.code, f"request {self.request_id}" if self.request_id else ""]
        return " · ".join(legible(part, LONGEST_WORDS) for part in parts if part)

    @property
    def field_errors(self) -> dict[str, str]:
        """``details.errors`` by form field; ``""`` holds what no field of ours is about."""
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


class NetworkError(RunsAPIError):
    """No answer: refused, reset, timed out, or a name that does not resolve.

    Attributes:
        sent: false only where the request provably never went out.
        timed_out: whether the whole time-out was spent waiting.
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
    """An answer that is not the contract's: not JSON, another envelope, missing IDs."""

    said_by_api = False

    @property
    def outcome_unknown(self) -> bool:
        return self.status != 429  # a proxy that lets nothing through
