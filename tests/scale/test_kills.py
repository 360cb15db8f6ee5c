"""Two web servers, four workers, PostgreSQL and Redis: many operators start runs while workers
are killed with -9, stopped, and cut off from PostgreSQL, and Redis forgets its calls. Each run is
executed once or says why not, and none beside its successor.

``make scale RUNS=500`` does it with that many runs and prints the figures.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from tests.scale.cluster import API_KEY, Cutter, Fleet, Killer, running_fleet
from tests.scale.operators import Operator, signed_in_operators
from tests.scale.queue_watch import QueueWatch
from workorders.embedded.transitions import WORKER_LOST
from workorders.embedded.worker.executor import DATABASE_AWAY

RUNS = int(os.environ.get("SCALE_RUNS", "60"))
RUNS_OF_AN_ORDER = 2
OPERATORS = 20
SEED = 7
STUCK_SECONDS = 120
"""Far longer than a run and its worker's lease: nothing moves any more."""

VERIFICATION_FAILED = "Verification still failed after 1 iteration."
LOST = {WORKER_LOST, DATABASE_AWAY.format(seconds=3)}
FINAL = {"succeeded", "failed", "canceled"}


class Api:
    def __init__(self, url: str) -> None:
        headers = {"Authorization": f"Bearer {API_KEY}"}
        self._http = httpx.Client(
            base_url=f"{url}/api/v1", headers=headers, timeout=120, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def create(self, workspace: Path) -> str:
        source = {"type": "local", "path": str(workspace)}
        body = {"taskPrompt": "Fix the login", "workspaceSource": source}
        answer = self._http.post("/work-orders", json=body)
        assert answer.status_code == 201, answer.text
        work_order_id: str = answer.json()["data"]["id"]
        return work_order_id

    def runs(self) -> dict[str, dict[str, Any]]:
        """All of them, by their IDs."""
        found: dict[str, dict[str, Any]] = {}
        for offset in range(0, RUNS + 100, 100):
            page = self._http.get("/runs", params={"limit": 100, "offset": offset}).json()
            found |= {run["id"]: run for run in page["data"]["items"]}
        return found

    def error(self, run_id: str) -> str:
        return self._http.get(f"/runs/{run_id}").json()["data"]["error"] or ""

    def queue(self) -> dict[str, Any]:
        stats: dict[str, Any] = self._http.get("/queue/health").json()["data"]["stats"]
        return stats


def wait_until_all_ended(api: Api) -> None:
    ended, since = -1, time.monotonic()
    while ended < RUNS:
        now = sum(run["status"] in FINAL for run in api.runs().values())
        if now > ended:
            ended, since = now, time.monotonic()
        assert time.monotonic() - since < STUCK_SECONDS, f"stuck at {ended}: {api.queue()}"
        time.sleep(1)


def start_runs(operators: list[Operator], orders: list[str]) -> list[str]:
    """Each operator has work orders of their own. One in two starts all their first runs before
    the second ones, so that many wait; the others start a second run as soon as the first has
    ended, so that it comes right behind. The IDs of the runs that the operators landed at."""

    def work(number: int) -> list[str]:
        mine = list(enumerate(orders[number :: len(operators)]))
        planned = mine * RUNS_OF_AN_ORDER
        if number % 2:
            planned = [order for order in mine for _ in range(RUNS_OF_AN_ORDER)]
        return [
            operators[number].start_run(work_order_id, twice=place % 4 == 0)
            for place, work_order_id in planned
        ]

    with ThreadPoolExecutor(len(operators)) as pool:
        return [run_id for runs in pool.map(work, range(len(operators))) for run_id in runs]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with running_fleet(tmp_path_factory.mktemp("fleet")) as fleet:
        yield fleet


@pytest.fixture
def api(fleet: Fleet) -> Iterator[Api]:
    with Api(fleet.web[0].url) as api:
        yield api


def test_each_run_is_executed_once_or_says_why_not(fleet: Fleet, api: Api) -> None:
    orders = [api.create(fleet.workspace) for _ in range(RUNS // RUNS_OF_AN_ORDER)]
    began = time.monotonic()
    with (
        signed_in_operators(fleet.web, OPERATORS) as operators,
        QueueWatch(fleet.web) as watch,
        Killer(fleet, SEED) as killer,
        Cutter(fleet, SEED) as cutter,
    ):
        started = start_runs(operators, orders)
        triggered = time.monotonic()
        wait_until_all_ended(api)
    ended = time.monotonic()
    runs = api.runs()
    errors = {
        run_id: api.error(run_id) for run_id, run in runs.items() if run["status"] == "failed"
    }
    executed = Counter(fleet.executed)

    tell(
        f"{len(runs)} runs of {len(orders)} work orders by {OPERATORS} operators: triggered in "
        f"{triggered - began:.0f} s, all ended after {ended - began:.0f} s",
        f"{killer.kills} workers killed, {killer.kills // 5} times all calls lost, "
        f"{cutter.cuts} links cut, {cutter.pauses} workers stopped for a while",
        f"executed beside its successor: {max(fleet.longest_overlap, 0):.3f} s at most "
        f"(the shortest time between two: {-fleet.longest_overlap:.3f} s)",
        f"statuses {dict(Counter(run['status'] for run in runs.values()))}; "
        f"reasons {dict(Counter(errors.values()))}",
        f"{len(executed)} runs whose agent was started, {max(executed.values())} time at most",
        f"{watch.looks} looks at the queue, {watch.longest} runs at most, {len(watch.lies)} untrue",
    )

    assert len(started) == len(set(started)) == RUNS
    assert set(runs) == set(started), "runs were lost, or nobody has asked for them"
    assert set(executed) <= set(runs)
    assert set(executed.values()) == {1}, "a run was executed twice"
    for run_id, run in runs.items():
        assert run["status"] in {"succeeded", "failed"}
        if run["status"] == "failed":
            assert errors[run_id] in {VERIFICATION_FAILED, *LOST}
        if errors.get(run_id) not in LOST:
            assert executed[run_id] == 1, "it ended without having been executed"
    assert fleet.longest_overlap <= 0, "two agents were at one work order"
    assert cutter.cuts > 0
    assert watch.lies == []
    assert watch.looks > 0
    assert killer.kills > 0
    stats = api.queue()
    assert (stats["waiting"], stats["running"]) == (0, 0)


def tell(*lines: str) -> None:
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
