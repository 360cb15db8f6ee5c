"""The one place that speaks HTTP to the runs API.

Values of ``workorders.runs_api.schemas`` come out, exceptions of ``workorders.errors``
are raised; low-level ones are translated in ``RunsClient._exchange`` only.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from django.conf import settings

from workorders.errors import InvalidResponse, NetworkError, RunsAPIError
from workorders.observability import request_id
from workorders.runs_api.bounded_body import ACCEPT_ENCODING, read_body
from workorders.runs_api.call_recorder import LoggedCall
from workorders.runs_api.deadline import enforce_deadline
from workorders.runs_api.diagnosis import NO_CONNECTION, diagnosis_of
from workorders.runs_api.envelope import Answer, read_envelope
from workorders.runs_api.health import HealthRecord
from workorders.runs_api.json_values import Json, as_text, optional_id
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
    queue_position_of,
)

logger = logging.getLogger(__name__)

API_PREFIX = "/api/v1"
PAGE_LIMIT = 100
"""The most items the API gives at once."""
RESPONSE_LIMIT_BYTES = 8_000_000
LOG_PART_BYTES = 65_536
SHORTEST_CALL_SECONDS = 0.2
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
"""After these the API has provably not heard of the request."""
PLACE_SECONDS = 0.1
"""How long a call may wait for one of the places (RUNS_API_MAX_CALLS) while the API is well."""
_waiting_calls = threading.BoundedSemaphore(settings.MAX_WAITING_CALLS)


class RunsClient:
    """A typed client of the runs API.

    Args:
        http: carries base URL, key and the time-outs of reads; tests hand in one
            whose transport is theirs.
        trigger_timeout: seconds that the call which starts a run may take in all.
        read_timeout: seconds that any other call may take in all.
        honours_keys: whether the API honours ``Idempotency-Key``, so that a trigger whose
            answer was lost can be sent again without starting a second run.
        end: when reads and triggers must all be over, by ``time.monotonic()``.
        record: is told of every call whether the API has answered.
        shared: where reads are taken from that others may have asked for already.

    Every method raises ``RunsAPIError``: ``NetworkError`` when no answer came,
    ``InvalidResponse`` when one came that is not the contract's, else the API's own refusal.
    """

    def __init__(
        self,
        http: httpx.Client,
        *,
        read_timeout: float = 2,
        trigger_timeout: float = 2,
        honours_keys: bool = False,
        end: float = math.inf,
        record: HealthRecord | None = None,
        shared: SharedRead | None = None,
    ) -> None:
        self._http = http
        self._made_at = time.time()
        self._shared = shared
        self._read_timeout = read_timeout
        self._end = end
        self.record = record or HealthRecord()
        self._trigger_timeout = trigger_timeout
        self.honours_keys = honours_keys

    def within(self, seconds: float, *, shared: SharedRead | None = None) -> "RunsClient":
        """The same client with less time, which all its reads and triggers share.

        Once it is used up, a call still gets the fifth of a second that most of them need.
        """
        return RunsClient(
            self._http,
            read_timeout=self._read_timeout,
            trigger_timeout=self._trigger_timeout,
            honours_keys=self.honours_keys,
            end=min(self._end, time.monotonic() + seconds),
            record=self.record,
            shared=shared or self._shared,
        )

    @property
    def newest_read(self) -> float:
        """The moment (time of day, in seconds) of the newest thing it may have read."""
        return self._shared.since if self._shared else time.time()

    @property
    def oldest_read(self) -> float:
        """The moment of the oldest."""
        return self._shared.oldest if self._shared else self._made_at

    def with_half_the_time(self) -> "RunsClient":
        """For one read of several that share a deadline."""
        return self.within((self._end - time.monotonic()) / 2)

    def list_work_orders(
        self, *, status: str = "", search: str = "", limit: int = 20, offset: int = 0
    ) -> Page[WorkOrder]:
        # The wire spells it with one l (recorded from a real server).
        query = {"status": "canceled" if status == "cancelled" else status, "search": search}
        return self._page("/work-orders", query, WorkOrder.parse, limit=limit, offset=offset)

    def get_work_order(self, work_order_id: str) -> WorkOrder:
        """With its runs, which are asked for where the answer leaves them out."""
        data = self._get(f"/work-orders/{_segment(work_order_id)}")
        work_order = _parsed(lambda: WorkOrder.parse(data), data)
        if work_order.lists_runs:
            return work_order
        try:
            page = self.list_runs(work_order_id, limit=PAGE_LIMIT)
        except RunsAPIError:
            return work_order
        if page.total != len(page.items):  # not all of them, or that is not told
            return work_order
        # A server that does not know the filter answers with everybody's.
        own = [run for run in page.items if run.work_order_id in {"", work_order_id}]
        return work_order.with_runs(own)

    def list_runs(self, work_order_id: str = "", *, limit: int = 50, offset: int = 0) -> Page[Run]:
        """Newest first; those of all work orders when none is named."""
        query = {"workOrderId": work_order_id}
        return self._page("/runs", query, Run.parse, limit=limit, offset=offset)

    def get_run(self, run_id: str) -> Run:
        data = self._get(f"/runs/{_segment(run_id)}")
        return _parsed(lambda: Run.parse(data), data)

    def get_log(
        self, run_id: str, *, offset: int = -LOG_PART_BYTES, limit: int = LOG_PART_BYTES
    ) -> LogPart:
        """Part of a run's log; a negative offset, in bytes, counts from the end."""
        query = {"offset": offset, "limit": limit}
        data = self._get(f"/runs/{_segment(run_id)}/log", query)
        return _parsed(lambda: LogPart.parse(data), data)

    def iterate_log(self, run_id: str) -> Iterator[str]:
        """The whole log as far as it is written, part by part."""
        offset, size = 0, 1
        while offset < size:
            part = self.get_log(run_id, offset=offset, limit=4 * LOG_PART_BYTES)
            yield part.text
            if part.next_offset <= offset:
                return
            offset, size = part.next_offset, part.size

    def list_profiles(self) -> tuple[Profile, ...]:
        data = self._get("/profiles")
        return _parsed(lambda: Page.parse(data, Profile.parse).items, data)

    def version(self) -> str:
        """The server's own; empty where it tells none."""
        try:
            data = self._get("/health")
        except RunsAPIError as error:
            if error.code != "NOT_FOUND":
                raise
            # Real servers have it beside /api/v1 (recorded).
            data = self._get("/health", prefix="")
        return as_text(data.get("version"))

    def queue_health(self) -> QueueHealth:
        return QueueHealth.parse(self._get("/queue/health"))

    def queue_position(self, work_order_id: str) -> int | None:
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
        body: dict[str, Any] = {
            "taskPrompt": prompt,
            "workspaceSource": {"type": "local", "path": workspace},
        }
        if profile_name:
            body["profileName"] = profile_name
        if max_iterations is not None:
            body["maxIterations"] = max_iterations
        data = self._exchange("POST", "/work-orders", timeout=self._read_timeout, body=body).data
        return _parsed(lambda: WorkOrder.parse(data), data)

    def trigger_run(
        self, work_order_id: str, overrides: RunOverrides, *, idempotency_key: str
    ) -> TriggeredRun:
        """Start a run.

        The key travels as ``Idempotency-Key`` (IETF draft
        draft-ietf-httpapi-idempotency-key-header): the same key gives the same run.
        It goes without the quotes that the draft asks for: servers that are older than it take
        the value as it stands, and the shipped API takes both forms for one key.
        A run that was queued because the server is full arrives as ``RunsAPIError``
        with the code CAPACITY_EXCEEDED and the run in its details.
        """
        data, request_id = self._exchange(
            "POST",
            f"/work-orders/{_segment(work_order_id)}/runs",
            timeout=self._left_of(self._trigger_timeout),
            body=overrides.body(),
            headers={"Idempotency-Key": idempotency_key},
            about={"work_order_id": work_order_id, "key": idempotency_key},
        )
        run = _parsed(lambda: TriggeredRun.required(data), data)
        return replace(run, request_id=request_id)

    def cancel_run(self, run_id: str) -> None:
        """Cancel a queued run, or ask an active one to stop; not every API can."""
        path = f"/runs/{_segment(run_id)}/cancel"
        data = self._exchange("POST", path, timeout=self._read_timeout).data
        _parsed(lambda: _check_id(data, run_id), data)

    def cancel_work_order(self, work_order_id: str) -> None:
        """End a work order for good; its runs may go on all the same."""
        path = f"/work-orders/{_segment(work_order_id)}"
        data = self._exchange("DELETE", path, timeout=self._read_timeout).data
        _parsed(lambda: _check_id(data, work_order_id), data)

    def _page[Item](
        self,
        path: str,
        query: Mapping[str, str],
        parse: Callable[[Json], Item],
        *,
        limit: int,
        offset: int,
    ) -> Page[Item]:
        data = self._get(path, {**query, "limit": limit, "offset": offset})
        return _parsed(lambda: Page.parse(data, parse, limit=limit, offset=offset), data)

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
        return min(timeout, max(self._end - time.monotonic(), SHORTEST_CALL_SECONDS))

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
    ) -> Answer:
        """Send one request; ``about`` is for its log line."""
        deadline = time.monotonic() + timeout
        call = LoggedCall(method, path, about or {})
        headers = {"Accept-Encoding": ACCEPT_ENCODING, **(headers or {})}
        if own_id := request_id.current():
            headers[request_id.HEADER] = own_id
        try:
            request = self._http.build_request(
                method, prefix + path, params=query, json=body, headers=headers
            )
            enforce_deadline(deadline, request)
            response = self._send(request)
            try:
                content = read_body(response, deadline=deadline, limit=RESPONSE_LIMIT_BYTES)
            finally:
                response.close()
        except (httpx.RequestError, httpx.InvalidURL) as exc:
            reason = diagnosis_of(exc)
            if not isinstance(exc, httpx.InvalidURL):  # that says nothing of the server
                self.record.failed(reason, certain=isinstance(exc, NO_CONNECTION))
            call.unanswered(reason, known=self.record.health.is_wrong)
            raise NetworkError(
                reason,
                sent=not isinstance(exc, NEVER_SENT),
                timed_out=isinstance(exc, httpx.TimeoutException),
            ) from exc
        try:
            answer = read_envelope(response, content)
        except RunsAPIError as exc:
            diagnosis = diagnosis_of(response, content)
            if self.record.refused(exc, diagnosis, reading=method == "GET"):
                exc.diagnosis = diagnosis
            call.refused(exc, known=bool(exc.diagnosis) and self.record.health.is_wrong)
            raise
        self.record.answered()
        call.answered(response.status_code, answer)
        return answer

    def _send(self, request: httpx.Request) -> httpx.Response:
        """At once where a place is free. Few stand in line for one, and nobody for an API that
        may not answer: that would hold every thread."""
        timeout = request.extensions["timeout"]
        timeout["pool"] = 0
        try:
            return self._http.send(request, stream=True)
        except httpx.PoolTimeout:
            if not self.record.accepts_queueing or not _waiting_calls.acquire(blocking=False):
                raise
        timeout["pool"] = PLACE_SECONDS
        try:
            return self._http.send(request, stream=True)
        finally:
            _waiting_calls.release()


def _segment(identifier: str) -> str:
    """An ID as one part of a path; dots alone would lead to another endpoint."""
    quoted = quote(identifier, safe="")
    return quoted if quoted.strip(".") else quoted.replace(".", "%2E")


def _check_id(data: Json, asked: str) -> None:
    """An answer may say nothing of what it is about, but not that it is about something else."""
    if optional_id(data, "id") not in {"", asked}:
        raise ValueError("the answer is about another id")


def _parsed[T](parse: Callable[[], T], data: Json) -> T:
    try:
        return parse()
    except ValueError as exc:
        logger.warning("an answer could not be understood: %s; keys: %s", exc, sorted(data))
        raise InvalidResponse(str(exc)) from exc
