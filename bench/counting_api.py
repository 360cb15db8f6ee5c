"""A runs API that costs almost nothing and counts its calls; Granian serves it over RSGI.

``POST /change/ID`` changes the iteration count of the work order's active run. ``GET /calls``
returns a JSON object with the number of requests for each path. All other paths are those of the
runs API.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Protocol

from granian.rsgi import Scope

PREFIX = "/api/v1"
ORDERS = f"{PREFIX}/work-orders/"
NUMBER_OF_ORDERS = 10
RUNS = 20
JSON = [("content-type", "application/json")]


class HTTPProtocol(Protocol):
    """The part of Granian's protocol object that is used here. Granian exports no type for it."""

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None: ...


calls: Counter[str] = Counter()
iterations: Counter[str] = Counter()
"""The number of iterations of each work order's active run."""


async def app(scope: Scope, protocol: HTTPProtocol) -> None:
    path = scope.path
    if path == "/calls":
        protocol.response_str(200, JSON, json.dumps(calls))
    elif path.startswith("/change/"):
        change(path.removeprefix("/change/"))
        protocol.response_str(200, JSON, "{}")
    else:
        calls[path] += 1
        status, body = _response(path)
        protocol.response_str(status, JSON, json.dumps(body))


def change(work_order_id: str) -> None:
    iterations[work_order_id] += 1


def order_ids() -> list[str]:
    return [f"wo-{number}" for number in range(NUMBER_OF_ORDERS)]


def _response(path: str) -> tuple[int, dict[str, Any]]:
    work_order_id = path.removeprefix(ORDERS)
    if path.startswith(ORDERS) and work_order_id in _known:
        return 200, {"success": True, "data": work_order(work_order_id)}
    if path == f"{PREFIX}/work-orders":
        items = [work_order(known) for known in _known]
        return 200, {"success": True, "data": {"items": items, "total": len(items)}}
    error = {"code": "NOT_FOUND", "message": "Nothing is known of this"}
    return 404, {"success": False, "error": error}


def work_order(work_order_id: str) -> dict[str, Any]:
    active = {
        "id": f"{work_order_id}-run-{RUNS}",
        "runNumber": RUNS,
        "status": "running",
        "startedAt": _started_at,
        "iterationCount": iterations[work_order_id],
        "workOrderId": work_order_id,
    }
    return {
        "id": work_order_id,
        "taskPrompt": "Fix the authentication bug in the login flow",
        "status": "running",
        "workspaceSource": {"type": "local", "path": "/srv/workspaces/login"},
        "createdAt": _started_at,
        "runCount": RUNS,
        "runs": [active, *(_over(work_order_id, number) for number in range(RUNS - 1, 0, -1))],
    }


def _over(work_order_id: str, number: int) -> dict[str, Any]:
    return {
        "id": f"{work_order_id}-run-{number}",
        "runNumber": number,
        "status": "failed",
        "startedAt": _started_at,
        "completedAt": _started_at,
        "iterationCount": 1,
        "workOrderId": work_order_id,
    }


_known = frozenset(order_ids())
_started_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
