"""Tables of everything that can go wrong with the response to a trigger."""

import gzip
import json
import select
import socket
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.faulty_api import Fault, FaultyAPI, Lie, Makes, Order
from tests.support.recordings import EXCHANGES
from tests.support.runs_api import (
    Asked,
    Handler,
    Reply,
    answer,
    data,
    dripping_body,
    dripping_header,
    refusal,
    reset,
)

HTML = b"<!doctype html><title>Bad gateway</title><h1>Please come back later</h1>"
MEGABYTE = b" " * 1_000_000


def hang(handler: Handler, asked: Asked) -> None:
    """Send no response for as long as the caller waits."""
    handler.close_connection = True
    while not handler.runs_api.released.is_set():
        readable, _, _ = select.select([handler.connection], [], [], 0.02)
        if readable and not handler.connection.recv(1, socket.MSG_PEEK):
            return


def close(handler: Handler, asked: Asked) -> None:
    """Close the connection in good order, without a response."""
    handler.close_connection = True


def raw(sent: bytes, then: Reply = close) -> Reply:
    """Send these bytes, whether they are HTTP or not, then do what ``then`` does."""

    def reply(handler: Handler, asked: Asked) -> None:
        handler.wfile.write(sent)
        then(handler, asked)

    return reply


def huge(handler: Handler, asked: Asked) -> None:
    """Send 100 MB of spaces, with which a JSON text may begin."""
    handler.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(100):
        handler.wfile.write(MEGABYTE)


def redirect(status: int) -> Reply:
    """Redirect to the requested URL, without end."""

    def reply(handler: Handler, asked: Asked) -> None:
        answer(status, b"", Location=handler.path)(handler, asked)

    return reply


def always(reply: Reply) -> Callable[[Mapping[str, Any]], Reply]:
    return lambda _: reply


def half(then: Reply) -> Callable[[Mapping[str, Any]], Reply]:
    """Send half of the true response under the ``Content-Length`` of all of it."""

    def answering(true: Mapping[str, Any]) -> Reply:
        body = json.dumps({"success": True, "data": true}).encode()
        head = f"HTTP/1.1 201 Created\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        return raw(head + body[: len(body) // 2], then)

    return answering


def typed(content_type: str) -> Callable[[Mapping[str, Any]], Reply]:
    """The true response with another content type."""

    def answering(true: Mapping[str, Any]) -> Reply:
        return answer(201, json.dumps({"success": True, "data": true}).encode(), content_type)

    return answering


def capacity(status: int, *named: str) -> Callable[[Mapping[str, Any]], Reply]:
    """The server is at capacity and queues the run; ``named``: the fields of the run it reports."""

    def answering(true: Mapping[str, Any]) -> Reply:
        details = {name: true[name] for name in named if name in true}
        return refusal(status, "CAPACITY_EXCEEDED", details=details | {"queuePosition": 2})

    return answering


SLOW: Mapping[str, Reply] = {
    "hang": hang,
    "slow drip of the header": dripping_header,
    "slow drip of the body": dripping_body,
}
"""Slow replies: they end when the caller gives up."""

LOST: Mapping[str, Callable[[Mapping[str, Any]], Reply]] = {
    "reset": always(reset),
    "closed": always(close),
    "half a header": always(raw(b"HTTP/1.1 201 Cre")),
    "reset mid-answer": half(reset),
    "truncated": half(close),
    "no HTTP": always(raw(b"\x00\xff\x16\x03 nonsense\r\n\r\n")),
    "broken chunks": always(
        raw(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    ),
    "broken gzip": always(answer(201, gzip.compress(b"{}" * 99)[:-9], Content_Encoding="gzip")),
    "garbage": always(answer(201, b"\x00\xff\xfe{]" * 20)),
    "HTML page": always(answer(200, HTML, "text/html")),
    "no content": always(raw(b"HTTP/1.1 204 No Content\r\n\r\n")),
    "empty body": always(answer(201, b"")),
    "other JSON": always(answer(200, b'{"ok": true, "id": 7}')),
    "JSON null": always(answer(200, b"null")),
    "JSON list": always(answer(200, b"[1, 2]")),
    "no run in it": always(data({}, 201)),
    "null for a run": always(data({"runId": None, "runNumber": None}, 201)),
    "text for data": always(answer(200, b'{"success": true, "data": "fine"}')),
    "100 MB": always(huge),
    "redirect 302": always(redirect(302)),
    "redirect 307": always(redirect(307)),
    "redirect 308": always(redirect(308)),
    **{
        f"{status} {name}": always(reply)
        for status in (500, 502, 503, 504)
        for name, reply in (
            ("enveloped", refusal(status, "INTERNAL_ERROR", "Failed to start the run")),
            ("HTML", answer(status, HTML, "text/html")),
            ("empty", answer(status, b"")),
        )
    },
    "500 with success": always(data({"runId": "run-0"}, 500)),
}
"""Replies that do not show whether a run was made."""

REFUSALS: Mapping[str, Reply] = {
    "429": refusal(429, "RATE_LIMITED"),
    "429 with Retry-After": refusal(429, "RATE_LIMITED", Retry_After="7"),
    "429 HTML": answer(429, HTML, "text/html"),
    "429 HTML with Retry-After": answer(429, HTML, "text/html", Retry_After="7"),
    "400": refusal(400, "BAD_REQUEST"),
    "401": refusal(401, "UNAUTHORIZED"),
    "403": refusal(403, "FORBIDDEN"),
    "403 complete": refusal(403, "WORK_ORDER_COMPLETE"),
    "404": refusal(404, "NOT_FOUND"),
    "409": refusal(409, "CONFLICT"),
    "409 active": refusal(409, "RUN_ALREADY_ACTIVE"),
    "422": refusal(422, "VALIDATION_ERROR"),
    "418 unknown code": refusal(418, "TEAPOT"),
    "200 without success": refusal(200, "NOT_TODAY"),
}
"""Replies that report that no run was made, which is true."""

ACCEPTED: Mapping[str, Callable[[Mapping[str, Any]], Reply]] = {
    "text/plain": typed("text/plain"),
    "text/html": typed("text/html; charset=latin-1"),
    "202 at capacity": capacity(202, "runId", "runNumber"),
    "503 at capacity": capacity(503, "runId"),
    "202 at capacity, unnamed": capacity(202),
}
"""Replies that report that a run was made, which is true."""


def recorded() -> list[Fault]:
    """A fault for every recorded response of a real server to a trigger."""
    return [
        Fault(
            f"recorded: {exchange['name']}",
            _played_back(exchange["response"]),
            Makes.FIRST if exchange["name"] == "trigger accepted" else Makes.NOTHING,
        )
        for exchange in EXCHANGES.values()
        if exchange["name"].startswith("trigger")
    ]


def _played_back(response: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Reply]:
    def answering(true: Mapping[str, Any]) -> Reply:
        body = dict(response["body"])
        if body["success"]:  # the recorded run ID is replaced by the ID of the fake's run
            body["data"] = body["data"] | {"runId": true["runId"]}
        return answer(response["status"], json.dumps(body).encode())

    return answering


RECORDED = recorded()
NEVER_MADE = "recorded: trigger, failing workspace"
"""A trigger accepted with 202 that never makes a run: the recording's next read lists none."""
REFUSED = [
    *(Fault(name, always(reply)) for name, reply in REFUSALS.items()),
    *(f for f in RECORDED if f.makes is Makes.NOTHING and f.name != NEVER_MADE),
]
ALL_SLOW = [Fault(name, always(reply), makes) for name, reply in SLOW.items() for makes in Makes]
ALL_QUICK = [
    *(
        Fault(name, reply, makes)
        for name, reply in LOST.items()
        for makes in (Makes.NOTHING, Makes.FIRST)
    ),
    *(
        Fault(name, LOST[name], makes)
        for name in ("reset", "closed", "truncated", "502 HTML", "504 HTML", "500 enveloped")
        for makes in (Makes.LATER, Makes.LAST)
    ),
    *REFUSED,
    *(Fault(name, reply, Makes.FIRST) for name, reply in ACCEPTED.items()),
    *(fault for fault in RECORDED if fault not in REFUSED),
]


def _old(api: FaultyAPI, order: Order) -> Mapping[str, Any]:
    """The response names the work order's previous run."""
    return {"runId": order.made[0].id}


def _old_numbered(api: FaultyAPI, order: Order) -> Mapping[str, Any]:
    return {"runId": order.made[0].id, "runNumber": order.made[0].number}


def _old_as_next(api: FaultyAPI, order: Order) -> Mapping[str, Any]:
    return {"runId": order.made[0].id, "runNumber": order.made[0].number + 1}


def _other_work_order(api: FaultyAPI, order: Order) -> Mapping[str, Any]:
    return {"workOrderId": api.other(order).id}


def _run_of_other_work_order(api: FaultyAPI, order: Order) -> Mapping[str, Any]:
    other = api.other(order)
    return {"runId": other.made[0].id, "runNumber": 2, "workOrderId": other.id}


def _run_of_other_work_order_unsaid(api: FaultyAPI, order: Order) -> Mapping[str, Any]:
    return {"runId": api.other(order).made[0].id, "runNumber": 2, "workOrderId": None}


def _other_key(api: FaultyAPI, order: Order) -> Mapping[str, Any]:
    """The response to the start of another dialog is repeated: see ``start_another``."""
    first = next((run for run in order.made_here), order.made[0])
    return {"runId": first.named, "runNumber": first.number}


def _old_number(api: FaultyAPI, order: Order) -> Mapping[str, Any]:
    return {"runNumber": 1}


def _far_number(api: FaultyAPI, order: Order) -> Mapping[str, Any]:
    return {"runNumber": 99}


ABOUT: Mapping[str, Lie] = {
    "old run": _old,
    "old run, its number": _old_numbered,
    "old run, the next number": _old_as_next,
    "other work order": _other_work_order,
    "other work order's run": _run_of_other_work_order,
    "other work order's run, unsaid": _run_of_other_work_order_unsaid,
    "another key's run": _other_key,
    "an old number": _old_number,
    "a far number": _far_number,
}
"""False contents of an accepting response: what it may name instead of the new run."""
ANSWERED: Mapping[str, Callable[[Mapping[str, Any]], Reply]] = {
    "201": lambda fields: data(fields, 201),
    "202 at capacity": capacity(202, "runId", "runNumber", "workOrderId"),
}
LIES = [
    Fault(f"{status}, {about}", answering, makes, lie)
    for status, answering in ANSWERED.items()
    for about, lie in ABOUT.items()
    for makes in (Makes.NOTHING, Makes.FIRST, Makes.LATER)
]
"""Responses that accept the start but name a wrong run. Some make a run, others do not."""
BY_ID = {fault.id: fault for fault in [*ALL_SLOW, *ALL_QUICK]}
