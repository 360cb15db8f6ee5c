"""A fake runs API that stores work orders and runs, and has a planned fault for each trigger.

``Order.made`` is the truth, whatever the responses were: the runs that exist, and the idempotency
key of each, even when the played server ignores keys.
"""

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from itertools import count
from typing import Any

from tests.support import runs_api
from tests.support.runs_api import Asked, Handler, Reply, RunsAPI, answer, data, refusal


class Kind(Enum):
    """The kind of server that is played."""

    KEYS = "key-honoured"
    """As the specification: 201, a run number, and the same key gives the same run."""
    NO_KEYS = "key-ignored"
    """Like ``KEYS``, but every accepted trigger makes a run."""
    RECORDED = "recorded"
    """As recorded: ignores keys, and responds with 202, no run number and an ID that never exists.
    The real run has another ID, and is listed only from the second read on."""
    UNLISTED = "unlisted"
    """Like ``KEYS``, but neither work orders nor lists of runs show the runs."""


LISTING = (Kind.KEYS, Kind.NO_KEYS, Kind.RECORDED)


class Makes(Enum):
    """When a faulty trigger makes its run, if at all."""

    NOTHING = "not-made"
    FIRST = "made"
    """Before the response."""
    LATER = "made-later"
    """When the work order is read for the second time after the response."""
    LAST = "made-last"
    """When the test calls ``catch_up()``: after everything that the operator was shown."""


@dataclass(frozen=True)
class Fault:
    """The course of one trigger; ``answering`` turns the data of the true response into a reply."""

    name: str
    answering: Callable[[Mapping[str, Any]], Reply]
    makes: Makes = Makes.NOTHING
    lie: "Lie | None" = None
    """The false fields of the response; ``None``: all are true."""

    @property
    def id(self) -> str:
        return f"{self.name}-{self.makes.value}"


type Lie = Callable[["FaultyAPI", "Order"], Mapping[str, Any]]
"""Makes the fields of the response to a trigger that replace the true ones."""


@dataclass
class Made:
    """A run that exists; ``named`` is its ID in the response to its trigger."""

    id: str
    named: str
    number: int
    key: str
    sent: bytes
    status: str
    queued_at: str
    hidden_reads: int
    """The number of further reads of the work order that omit the run."""


@dataclass
class PutOff:
    """A run that a fault makes later than the response."""

    make: Callable[[], object]
    reads: int | None
    """The number of reads of the work order until then; ``None``: not before ``catch_up()``."""


@dataclass
class Order:
    """One work order. ``plan`` has a fault for each of its next triggers, and ``read_plan`` a reply
    for each of its next reads (``None``: the true one). After that all responses are true."""

    id: str
    kind: Kind
    status: str = "failed"
    plan: list[Fault] = field(default_factory=list)
    read_plan: list[Reply | None] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    put_off: list[PutOff] = field(default_factory=list)
    keys_elsewhere: set[str] = field(default_factory=set)
    """The idempotency keys of runs that others than the dashboard have started."""
    keys_heard: set[str] = field(default_factory=set)
    """Of the triggers that have arrived, whatever became of them."""

    @property
    def made_here(self) -> list[Made]:
        """The runs that the dashboard has started, with any key."""
        return [run for run in self.made if run.key not in self.keys_elsewhere]

    def made_for(self, key: str) -> list[Made]:
        return [run for run in self.made if run.key == key]


class FaultyAPI:
    """Work orders and runs behind ``server``; ``serve_faulty()`` makes one."""

    def __init__(self, server: RunsAPI) -> None:
        self.server = server
        self._orders: dict[str, Order] = {}
        self._numbers = count(1)
        self._lock = threading.RLock()
        server.on("GET", "/profiles", runs_api.items({"name": "default"}, {"name": "careful"}))
        server.on("GET", "/work-orders", self._list_orders)
        server.on("GET", "/runs", self._list_runs)

    def add(self, kind: Kind, *, runs: int = 0) -> Order:
        """Add a failed work order, which may run again, with this number of failed runs."""
        with self._lock:
            order = Order(f"wo-{next(self._numbers)}", kind)
            self._orders[order.id] = order
            for _ in range(runs):
                self.start_elsewhere(order).status = "failed"
        self.server.on("GET", f"/work-orders/{order.id}", self._show_order)
        self.server.on("POST", f"/work-orders/{order.id}/runs", self._trigger)
        return order

    def start_elsewhere(self, order: Order, sent: bytes = b"") -> Made:
        """Start a run as somebody does without the dashboard."""
        key = str(uuid.uuid4())
        order.keys_elsewhere.add(key)
        run = self._make(order, key, sent)
        run.hidden_reads = 0
        return run

    def leave_after_read(self, order: Order) -> None:
        """Respond to the next read of the work order, then refuse all connections."""

        def last(handler: Handler, asked: Asked) -> None:
            self.server.go_away(spare=handler.connection)
            body = json.dumps({"success": True, "data": self._read(order)}).encode()
            answer(200, body, Connection="close")(handler, asked)

        order.read_plan.append(last)

    def catch_up(self, order: Order) -> None:
        """Make all runs that faults have put off, and list all runs."""
        with self._lock:
            for put_off in order.put_off:
                put_off.make()
            order.put_off.clear()
            for run in order.made:
                run.hidden_reads = 0

    def _trigger(self, handler: Handler, asked: Asked) -> None:
        order = self._orders[asked.path.split("/")[2]]
        key, sent = asked.headers.get("idempotency-key", ""), asked.body
        with self._lock:
            order.keys_heard.add(key)
            fault = order.plan.pop(0) if order.plan else None
            makes = fault.makes if fault else Makes.FIRST
            used = next(iter(order.made_for(key)), None) if order.kind is Kind.KEYS else None
            if used and used.sent != sent:
                fault, run = None, None
            elif makes is Makes.FIRST:
                run = self._make(order, key, sent)
            else:
                run = used or self._draft(order, key, sent)
                if makes is not Makes.NOTHING:
                    reads = 2 if makes is Makes.LATER else None
                    order.put_off.append(PutOff(lambda: self._make(order, key, sent), reads))
        if run is None:
            reply = refusal(422, "IDEMPOTENCY_KEY_REUSED")
        elif fault is None:
            reply = data(self._answer(order, run), 202 if order.kind is Kind.RECORDED else 201)
        else:
            lie = fault.lie(self, order) if fault.lie else {}
            reply = fault.answering({**self._answer(order, run), **lie})
        reply(handler, asked)

    def other(self, order: Order) -> Order:
        """Another work order of the same server, which has a run."""
        others = [
            other
            for other in self._orders.values()
            if other is not order and other.kind is order.kind and other.made
        ]
        return others[0] if others else self.add(order.kind, runs=1)

    def _make(self, order: Order, key: str, sent: bytes) -> Made:
        with self._lock:
            made = order.made_for(key)
            if made and order.kind is Kind.KEYS:
                return made[0]
            run = self._draft(order, key, sent)
            order.made.append(run)

        def show(handler: Handler, asked: Asked) -> None:
            data(self._run(order, run))(handler, asked)

        self.server.on("GET", f"/runs/{run.id}", show)
        return run

    def _draft(self, order: Order, key: str, sent: bytes) -> Made:
        recorded = order.kind is Kind.RECORDED
        run_id = str(uuid.uuid4())
        return Made(
            id=run_id,
            named=f"run-{order.id}-{uuid.uuid4().hex[:8]}" if recorded else run_id,
            number=len(order.made) + 1,
            key=key,
            sent=sent,
            status="building" if recorded else "queued",
            queued_at=datetime.now(UTC).isoformat(),
            hidden_reads=1 if recorded else 0,
        )

    def _answer(self, order: Order, run: Made) -> dict[str, Any]:
        answer = {"runId": run.named, "status": run.status, "startedAt": None}
        if order.kind is Kind.RECORDED:
            return answer | {"startedAt": run.queued_at}
        return answer | {"runNumber": run.number, "workOrderId": order.id}

    def _run(self, order: Order, run: Made) -> dict[str, Any]:
        shown = {"id": run.id, "status": run.status, "startedAt": run.queued_at}
        if order.kind is Kind.RECORDED:
            return shown | {"iterationCount": 1}
        return shown | {
            "runNumber": run.number,
            "workOrderId": order.id,
            "overrides": json.loads(run.sent or b"{}"),
            "queuedAt": run.queued_at,
            "startedAt": None if run.status == "queued" else run.queued_at,
        }

    def _show_order(self, handler: Handler, asked: Asked) -> None:
        order = self._orders[asked.path.split("/")[2]]
        with self._lock:
            planned = order.read_plan.pop(0) if order.read_plan else None
            reply = planned or data(self._read(order))
        reply(handler, asked)

    def _read(self, order: Order) -> dict[str, Any]:
        for put_off in list(order.put_off):
            if put_off.reads is not None:
                put_off.reads -= 1
                if put_off.reads == 0:
                    put_off.make()
                    order.put_off.remove(put_off)
        listed = [run for run in order.made if not run.hidden_reads]
        for run in order.made:
            run.hidden_reads = max(run.hidden_reads - 1, 0)
        if order.kind is Kind.UNLISTED:
            return {
                name: value for name, value in self._order(order, []).items() if name != "runCount"
            }
        return self._order(order, listed) | {
            "runs": [self._run(order, run) for run in reversed(listed)]
        }

    def _order(self, order: Order, listed: list[Made]) -> dict[str, Any]:
        return {
            "id": order.id,
            "taskPrompt": "Fix the login",
            "status": order.status,
            "runCount": len(listed),
        }

    def _list_orders(self, handler: Handler, asked: Asked) -> None:
        with self._lock:
            orders = [self._order(order, order.made) for order in self._orders.values()]
        runs_api.items(*orders)(handler, asked)

    def _list_runs(self, handler: Handler, asked: Asked) -> None:
        with self._lock:
            order = self._orders.get(asked.query.get("workOrderId", ""))
            order = None if order and order.kind is Kind.UNLISTED else order
            shown = [self._run(order, run) for run in reversed(order.made)] if order else []
        total = len(shown) if order else len(shown) + 1  # omitted runs are counted, not listed
        runs_api.items(*shown, total=total)(handler, asked)


@contextmanager
def serve_faulty() -> Iterator[FaultyAPI]:
    with runs_api.serve() as server:
        yield FaultyAPI(server)
