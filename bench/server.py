"""Measures the server under load, and the time that the dashboard adds to calls to a runs API.

The requests are the work order page, the dialog, the start of a run and an unchanged poll. No
workers run, because they would share the cores with the server. Triggered runs stay in the queue,
so that their work orders can be triggered again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bench.figures import Figure
from bench.load import Loaded, ensure_wrk, load, load_triggers
from bench.product_server import (
    BROWSER_HEADERS,
    CSRF_TOKEN,
    HTMX_HEADERS,
    ProductServer,
    product_server,
)
from bench.scale import Scale

PART = "Server, embedded runs API, no workers"
OVERHEAD = "Dashboard over a runs API of another process, 1 connection"
WORK_ORDERS = 500
RUNS = 20
"""Number of runs of the work order whose page is requested."""
TRIGGERED = 200
"""Number of work orders to trigger in turn: two requests rarely meet at the same one."""
WARM_UP_SECONDS = 1
CPU_GOAL_MS = 5
REFRESH_CPU_GOAL_MS = 2
API = "/api/v1"

type Send = Callable[[int, int], Loaded]
"""Sends load over a number of connections for a number of seconds."""


@dataclass(frozen=True, slots=True)
class Requests:
    """One kind of request to the dashboard; ``calls`` names its calls to the runs API."""

    name: str
    send: Send
    calls: tuple[str, ...]
    cpu_goal: float = CPU_GOAL_MS


@dataclass(frozen=True, slots=True)
class Subject:
    """The IDs of the work order whose page is requested, and of those that are triggered."""

    shown: str
    triggered: list[str] = field(default_factory=list)


def measure(scale: Scale) -> Iterator[Figure]:
    ensure_wrk()
    with product_server(WORKERS="0") as product:
        product.rows("work_orders", count=WORK_ORDERS)
        subject = Subject(
            shown=product.rows("work_order", runs=RUNS)[0],
            triggered=product.rows("work_order", runs=1, runnable=TRIGGERED),
        )
        for requests in dashboard_requests(product, subject):
            yield from _under_load(product, requests, scale)
        with product_server(RUNS_API_URL=product.url, RUNS_API_KEY=product.api_key) as dashboard:
            yield from _overhead(product, dashboard, subject, scale)


def dashboard_requests(product: ProductServer, subject: Subject) -> list[Requests]:
    cookie = product.rows("sessions", count=1)[0]
    browser, htmx = BROWSER_HEADERS | {"Cookie": cookie}, HTMX_HEADERS | {"Cookie": cookie}
    page = f"/work-orders/{subject.shown}/"
    refresh = product.refresh_path(page, cookie)
    paths = [f"/work-orders/{work_order_id}/trigger/" for work_order_id in subject.triggered]
    triggers = _triggers(product.url, htmx, paths, status=200, csrf_token=CSRF_TOKEN)
    return [
        Requests("work order page", _gets(product.url + page, browser), ("work order",)),
        Requests("dialog", _gets(f"{product.url}{page}trigger/", htmx), ("work order", "profiles")),
        Requests("trigger", triggers, ("work order", "trigger")),
        Requests(
            "unchanged refresh",
            _gets(product.url + refresh, htmx, status=204),
            ("work order",),
            REFRESH_CPU_GOAL_MS,
        ),
    ]


def api_calls(api: ProductServer, subject: Subject) -> dict[str, Send]:
    headers = {"Authorization": f"Bearer {api.api_key}", "Accept": "application/json"}
    paths = [f"{API}/work-orders/{work_order_id}/runs" for work_order_id in subject.triggered]
    return {
        "work order": _gets(f"{api.url}{API}/work-orders/{subject.shown}", headers),
        "profiles": _gets(f"{api.url}{API}/profiles", headers),
        "trigger": _triggers(api.url, headers, paths, status=202),
    }


def _gets(url: str, headers: Mapping[str, str], status: int = 200) -> Send:
    return lambda connections, seconds: load(
        url, headers, connections=connections, seconds=seconds, status=status
    )


def _triggers(
    url: str,
    headers: Mapping[str, str],
    paths: list[str],
    *,
    status: int,
    csrf_token: str | None = None,
) -> Send:
    return lambda connections, seconds: load_triggers(
        url,
        headers,
        paths,
        connections=connections,
        seconds=seconds,
        status=status,
        csrf_token=csrf_token,
    )


def _under_load(product: ProductServer, requests: Requests, scale: Scale) -> Iterator[Figure]:
    requests.send(max(scale.connections), WARM_UP_SECONDS)
    for connections in scale.connections:
        name = f"{requests.name}, {connections} connection{'' if connections == 1 else 's'}"
        loaded, cpu = _weighed(product, requests.send, connections, scale.load_seconds)
        yield Figure(PART, name, loaded.per_second, "requests/s")
        yield Figure(PART, f"{name}, median", loaded.p50, "ms")
        yield Figure(PART, f"{name}, p95", loaded.p95, "ms")
        yield Figure(PART, f"{name}, p99", loaded.p99, "ms")
        goal = REFRESH_CPU_GOAL_MS if requests.cpu_goal == REFRESH_CPU_GOAL_MS else None
        yield Figure(PART, f"{name}, CPU", cpu, "ms/request", goal)
        if loaded.failed:
            yield Figure(PART, f"{name}, failed", loaded.failed, "requests", 0)


def _overhead(
    api: ProductServer, dashboard: ProductServer, subject: Subject, scale: Scale
) -> Iterator[Figure]:
    medians: dict[str, float] = {}
    for name, send in api_calls(api, subject).items():
        send(1, WARM_UP_SECONDS)
        loaded, cpu = _weighed(api, send, 1, scale.load_seconds)
        medians[name] = loaded.p50
        yield Figure(OVERHEAD, f"API call alone: {name}, median", loaded.p50, "ms")
        yield Figure(OVERHEAD, f"API call alone: {name}, CPU", cpu, "ms/request")
    for requests in dashboard_requests(dashboard, subject):
        requests.send(1, WARM_UP_SECONDS)
        loaded, cpu = _weighed(dashboard, requests.send, 1, scale.load_seconds)
        calls = sum(medians[call] for call in requests.calls)
        name = requests.name
        yield Figure(OVERHEAD, f"{name}, median", loaded.p50, "ms")
        yield Figure(OVERHEAD, f"{name}, more than its API calls", loaded.p50 - calls, "ms")
        yield Figure(OVERHEAD, f"{name}, compared to its API calls", loaded.p50 / calls, "times")
        yield Figure(OVERHEAD, f"{name}, dashboard's CPU", cpu, "ms/request", requests.cpu_goal)


def _weighed(
    product: ProductServer, send: Send, connections: int, seconds: int
) -> tuple[Loaded, float]:
    """The result of wrk, and the web server's CPU milliseconds per request."""
    loaded, cpu = product.weighed(lambda: send(connections, seconds))
    return loaded, cpu / loaded.requests * 1000
