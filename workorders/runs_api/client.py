"""The client of the runs API: the only code that sends HTTP requests to it.

The methods of ``RunsClient`` return the types of ``workorders.runs_api.schemas`` and raise the
exceptions of ``workorders.errors``. Only ``RunsClient._exchange`` translates exceptions of httpx.
"""

import logging
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from workorders.errors import InvalidResponse, NetworkError, RunsAPIError
from workorders.observability import request_id
from workorders.runs_api import transport
from workorders.runs_api.call_recorder import LoggedCall
from workorders.runs_api.diagnosis import NO_CONNECTION, diagnosis_of
from workorders.runs_api.envelope import Envelope, read_envelope
from workorders.runs_api.health import HealthRecord
from workorders.runs_api.json_values import Json, optional_id
from workorders.runs_api.read_cache import SharedRead
from workorders.runs_api.schemas import (
    LogPart,
    Page,
    Profile,
    QueueHealth,
    Run,
    RunOverrides,
    TriggeredRun,
    WorkOrder,
    parse,
    queue_position_of,
)

logger = logging.getLogger(__name__)

API_PREFIX = "/api/v1"
PAGE_LIMIT = 100
"""The most items that the API returns per page."""
RESPONSE_LIMIT_BYTES = 8_000_000
LOG_PART_BYTES = 65_536
MINIMUM_CALL_SECONDS = 0.2
"""The time-out of a call when the deadline has passed; most calls need less."""
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
"""These exceptions prove that the API has not received the request."""


class RunsClient:
    """A typed client of the runs API.

    Args:
        http: the HTTP client, with base URL, API key and connection time-outs. Tests pass a
            client with a transport of their own.
        read_timeout: total seconds that any call except a trigger may take.
        trigger_timeout: total seconds that a call that starts a run may take.
        honours_keys: whether the API honours ``Idempotency-Key``. A trigger whose response
            was lost can then be sent again without starting a second run.
        deadline: when all reads and triggers must be over, in ``time.monotonic()`` seconds.
        record: records whether the API responds to the calls.
        shared: a view of the read cache, for a client whose reads may be shared with other
            requests; ``None``: every read calls the API.

    Every method that calls the API raises ``NetworkError`` when no response came,
    ``InvalidResponse`` when the response breaks the API's contract, and ``RunsAPIError`` when
    the API refused. The first two are subclasses of ``RunsAPIError``.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        read_timeout: float = 2,
        trigger_timeout: float = 2,
        honours_keys: bool = False,
        deadline: float = math.inf,
        record: HealthRecord | None = None,
        shared: SharedRead | None = None,
    ) -> None:
        self._http = http
        self._created_at = time.time()
        self._shared = shared
        self._read_timeout = read_timeout
        self._deadline = deadline
        self.record = record or HealthRecord()
        self._trigger_timeout = trigger_timeout
        self.honours_keys = honours_keys

    def within(self, seconds: float, *, shared: SharedRead | None = None) -> "RunsClient":
        """Return a copy of the client whose reads and triggers all end within ``seconds``.

        Once the time is used up, each further call still gets ``MINIMUM_CALL_SECONDS``.

        Args:
            seconds: the time from now on that all calls share.
            shared: replaces the client's view of the read cache.
        """
        return RunsClient(
            self._http,
            read_timeout=self._read_timeout,
            trigger_timeout=self._trigger_timeout,
            honours_keys=self.honours_keys,
            deadline=min(self._deadline, time.monotonic() + seconds),
            record=self.record,
            shared=shared or self._shared,
        )

    @property
    def newest_read(self) -> float:
        """The Unix timestamp, in seconds, of the newest data that this client may have read."""
        return self._shared.since if self._shared else time.time()

    @property
    def oldest_read(self) -> float:
        """The Unix timestamp, in seconds, of the oldest data that this client may have read."""
        return self._shared.oldest if self._shared else self._created_at

    def with_half_the_time(self) -> "RunsClient":
        """Return a copy with half of the time left, so that one read cannot use up all of it."""
        return self.within((self._deadline - time.monotonic()) / 2)

    def list_work_orders(
        self, *, status: str = "", search: str = "", limit: int = 20, offset: int = 0
    ) -> Page[WorkOrder]:
        """Return a page of work orders, without their runs.

        Args:
            status: one of ``WORK_ORDER_STATUSES``; empty: all.
            search: text that the API searches for; empty: all.
            limit: the most items to return.
            offset: how many items to skip.
        """
        # The API spells this status with one l (recorded from a real server).
        query = {"status": "canceled" if status == "cancelled" else status, "search": search}
        return self._page("/work-orders", query, Page[WorkOrder], limit=limit, offset=offset)

    def get_work_order(self, work_order_id: str) -> WorkOrder:
        """Return a work order with its runs.

        Where the response leaves the runs out, a second call reads them. If that call fails or
        does not return all of them, the result has ``lists_runs`` false.
        """
        data = self._get(f"/work-orders/{_segment(work_order_id)}")
        work_order = _parsed(WorkOrder, data)
        if work_order.lists_runs:
            return work_order
        try:
            page = self.list_runs(work_order_id, limit=PAGE_LIMIT)
        except RunsAPIError:
            return work_order
        if page.total != len(page.items):  # some runs are missing, or may be
            return work_order
        # A server that does not know the filter returns the runs of all work orders.
        own = [run for run in page.items if run.work_order_id in {"", work_order_id}]
        return work_order.with_runs(own)

    def list_runs(self, work_order_id: str = "", *, limit: int = 50, offset: int = 0) -> Page[Run]:
        """Return a page of runs, newest first.

        Args:
            work_order_id: return the runs of this work order only; empty: all runs.
            limit: the most items to return.
            offset: how many items to skip.
        """
        query = {"workOrderId": work_order_id}
        return self._page("/runs", query, Page[Run], limit=limit, offset=offset)

    def get_run(self, run_id: str) -> Run:
        """Return one run with its iterations."""
        data = self._get(f"/runs/{_segment(run_id)}")
        return _parsed(Run, data)

    def get_log(
        self, run_id: str, *, offset: int = -LOG_PART_BYTES, limit: int = LOG_PART_BYTES
    ) -> LogPart:
        """Return part of a run's log.

        Args:
            run_id: the run's ID.
            offset: where the part begins, in bytes; a negative offset counts from the end.
            limit: the most bytes to return.
        """
        query = {"offset": offset, "limit": limit}
        data = self._get(f"/runs/{_segment(run_id)}/log", query)
        return _parsed(LogPart, data)

    def iterate_log(self, run_id: str) -> Iterator[str]:
        """Yield the log from its beginning to its present end, part by part."""
        offset, size = 0, 1
        while offset < size:
            part = self.get_log(run_id, offset=offset, limit=4 * LOG_PART_BYTES)
            yield part.text
            if part.next_offset <= offset:
                return
            offset, size = part.next_offset, part.size

    def list_profiles(self) -> tuple[Profile, ...]:
        """Return the profiles of the API, in the API's order."""
        data = self._get("/profiles")
        return _parsed(Page[Profile], data).items

    def version(self) -> str:
        """Return the version that the server reports; empty where it reports none."""
        try:
            data = self._get("/health")
        except RunsAPIError as error:
            if error.code != "NOT_FOUND":
                raise
            # Real servers have this endpoint outside of /api/v1 (recorded).
            data = self._get("/health", prefix="")
        version = data.get("version")
        return version if isinstance(version, str) else ""

    def queue_health(self) -> QueueHealth:
        """Return the load of the API, and how its workers isolate commands."""
        return parse(QueueHealth, self._get("/queue/health"))

    def queue_position(self, work_order_id: str) -> int | None:
        """Return the place in the queue of the work order's queued run.

        1 is next; ``None`` where the API gives no position.
        """
        data = self._get(f"/queue/position/{_segment(work_order_id)}")
        return queue_position_of(data, "position")

    def create_work_order(
        self,
        *,
        prompt: str,
        workspace: str,
        profile_name: str = "",
        max_iterations: int | None = None,
    ) -> WorkOrder:
        """Create a work order.

        Args:
            prompt: the task for the agent.
            workspace: the path of a directory on the API's machine.
            profile_name: empty: the API chooses the profile.
            max_iterations: ``None``: as the profile says.
        """
        body: dict[str, Any] = {
            "taskPrompt": prompt,
            "workspaceSource": {"type": "local", "path": workspace},
        }
        if profile_name:
            body["profileName"] = profile_name
        if max_iterations is not None:
            body["maxIterations"] = max_iterations
        data = self._exchange("POST", "/work-orders", timeout=self._read_timeout, body=body).data
        return _parsed(WorkOrder, data)

    def trigger_run(
        self, work_order_id: str, overrides: RunOverrides, *, idempotency_key: str
    ) -> TriggeredRun:
        """Start a run.

        Args:
            work_order_id: the work order's ID.
            overrides: what the operator set for this run.
            idempotency_key: sent as ``Idempotency-Key`` (IETF draft
                draft-ietf-httpapi-idempotency-key-header). Requests with the same key start
                one run. The draft puts the value in quotes; the client does not, because
                servers older than the draft take the quotes as part of the key. The embedded
                API treats both forms as the same key.

        Raises:
            RunsAPIError: also when the run exists, but is queued because the server is full.
                The code is then CAPACITY_EXCEEDED, and ``details`` names the run.
        """
        data, request_id = self._exchange(
            "POST",
            f"/work-orders/{_segment(work_order_id)}/runs",
            timeout=self._left_of(self._trigger_timeout),
            body=overrides.body(),
            headers={"Idempotency-Key": idempotency_key},
            about={"work_order_id": work_order_id, "key": idempotency_key},
        )
        run = _parsed(TriggeredRun, data)
        return replace(run, request_id=request_id)

    def cancel_run(self, run_id: str) -> None:
        """Cancel a queued run, or ask an active run to stop. Not every runs API can do this."""
        path = f"/runs/{_segment(run_id)}/cancel"
        data = self._exchange("POST", path, timeout=self._read_timeout).data
        _check_id(data, run_id)

    def cancel_work_order(self, work_order_id: str) -> None:
        """Cancel a work order for good. Its runs may continue nevertheless."""
        path = f"/work-orders/{_segment(work_order_id)}"
        data = self._exchange("DELETE", path, timeout=self._read_timeout).data
        _check_id(data, work_order_id)

    def _page[Item](
        self,
        path: str,
        query: Mapping[str, str],
        kind: type[Page[Item]],
        *,
        limit: int,
        offset: int,
    ) -> Page[Item]:
        data = self._get(path, {**query, "limit": limit, "offset": offset})
        return _parsed(kind, data, limit=limit, offset=offset)

    def _get(
        self, path: str, query: Mapping[str, str | int] | None = None, *, prefix: str = API_PREFIX
    ) -> Json:
        params = {name: value for name, value in (query or {}).items() if value != ""}

        def ask() -> Json:
            timeout = self._left_of(self._read_timeout)
            return self._exchange("GET", path, timeout=timeout, query=params, prefix=prefix).data

        if self._shared is None:
            return ask()
        return self._shared.read(f"{prefix}{path}?{urlencode(params)}", ask)

    def _left_of(self, timeout: float) -> float:
        """Return ``timeout``, shortened to the time left until the deadline, in seconds."""
        return min(timeout, max(self._deadline - time.monotonic(), MINIMUM_CALL_SECONDS))

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        query: Mapping[str, str | int] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        about: Mapping[str, str] | None = None,
        prefix: str = API_PREFIX,
    ) -> Envelope:
        """Send one request and return the envelope of its response.

        Args:
            method: the HTTP method.
            path: the path below ``prefix``.
            timeout: total seconds, from connecting to the last byte of the response.
            query: the parameters of the URL.
            body: sent as JSON; ``None``: no body.
            headers: sent in addition to those of the HTTP client.
            about: further fields of the log line.
            prefix: the path of the API on its server.
        """
        deadline = time.monotonic() + timeout
        call = LoggedCall(method, path, about or {})
        headers = {"Accept-Encoding": transport.ACCEPT_ENCODING, **(headers or {})}
        if own_id := request_id.current():
            headers[request_id.HEADER] = own_id
        try:
            request = self._http.build_request(
                method, prefix + path, params=query, json=body, headers=headers
            )
            response, content = transport.exchange(
                self._http,
                request,
                deadline=deadline,
                limit=RESPONSE_LIMIT_BYTES,
                may_wait=lambda: self.record.accepts_queueing,
            )
        except (httpx.RequestError, httpx.InvalidURL) as exc:
            reason = diagnosis_of(exc)
            if not isinstance(exc, httpx.InvalidURL):  # which says nothing about the server
                self.record.failed(reason, certain=isinstance(exc, NO_CONNECTION))
            call.unanswered(reason, known=self.record.health.is_wrong)
            raise NetworkError(
                reason,
                sent=not isinstance(exc, NEVER_SENT),
                timed_out=isinstance(exc, httpx.TimeoutException),
            ) from exc
        try:
            envelope = read_envelope(response, content)
        except RunsAPIError as exc:
            diagnosis = diagnosis_of(response, content)
            if self.record.refused(exc, diagnosis, is_read=method == "GET"):
                exc.diagnosis = diagnosis
            call.refused(exc, known=bool(exc.diagnosis) and self.record.health.is_wrong)
            raise
        self.record.answered()
        call.answered(response.status_code, envelope)
        return envelope


def _segment(identifier: str) -> str:
    """Quote an ID as one segment of a path.

    Dots are quoted in an ID of dots only: ``..`` would lead to another endpoint (RFC 3986 5.2.4).
    """
    quoted = quote(identifier, safe="")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")


def _check_id(data: Json, asked: str) -> None:
    """Raise ``InvalidResponse`` if the response has another ID; a response without one passes."""
    if optional_id(data, "id") not in {"", asked}:
        raise _invalid("the answer is about another id", data)


def _parsed[Value](kind: type[Value], data: Json, **context: int) -> Value:
    """Return what ``parse`` returns, and turn its ``ValueError`` into ``InvalidResponse``."""
    try:
        return parse(kind, data, **context)
    except ValueError as exc:
        raise _invalid(str(exc), data) from exc


def _invalid(reason: str, data: Json) -> InvalidResponse:
    logger.warning("an answer could not be understood: %s; keys: %s", reason, sorted(data))
    return InvalidResponse(reason)
