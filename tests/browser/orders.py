"""Work orders that belong to one test each, made through the runs API the product ships with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx

from tests.support.product import Product, wait_until

FINAL = {"succeeded", "failed", "canceled"}
PROMPT = "Fix the authentication bug in the login flow"

# Commands wait at a gate, a file that the test makes, so that a run is active
# for exactly as long as the test needs it.
PROFILES = """
[profiles.retry]
description = "The first run fails, the second passes"
agent = 'echo "Attempt $ITERATION of run $RUN_NUMBER"'
verify = 'echo "Checking run $RUN_NUMBER"; test "$RUN_NUMBER" -gt 1'
max_iterations = 2

[profiles.failing]
agent = 'echo "Attempt $ITERATION"'
verify = 'echo "Still failing"; false'
max_iterations = 1

[profiles.passing]
agent = 'echo "Attempt $ITERATION"'
verify = "true"

[profiles.gated]
agent = 'until test -e "{gates}/$WORK_ORDER_ID.$ITERATION"; do sleep 0.1; done; echo "Through"'
verify = 'echo "Still failing"; false'
max_iterations = 3
time_limit = 120

[profiles.chatty]
agent = 'seq -f "Line %g" 500'
verify = "true"

[profiles.progress]
agent = '''
pause() { until test -e "{gates}/$WORK_ORDER_ID.$1"; do sleep 0.1; done; }
printf 'Loading 10%%\\rLoading 20%%\\033[3'; pause 1
printf '1m\\033[0m done\\rLoaded \\033[K\\r'; printf '\\342\\202'; pause 2
printf '\\254oaded\\r\\n\\033]0;no end\\nThe end\\n'
'''
verify = "true"
max_iterations = 1

[profiles.hostile]
agent = 'cat "$PROMPT_FILE"; printf "\\033[31mred\\033[0m \\033]0;title\\007"'
verify = 'cat "$PROMPT_FILE"; false'
max_iterations = 1
"""


class Orders:
    """A client for tests; ``release`` opens the gate of a ``gated`` run's iteration."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self._gates = product.data_dir / "gates"
        self._workspace = product.data_dir / "workspace"
        self._made: list[str] = []
        key = (product.data_dir / "runs-api-key").read_text().strip()
        self._http = httpx.Client(
            base_url=f"{product.url}/api/v1",
            headers={"Authorization": f"Bearer {key}"},
            timeout=30,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def prepare(self) -> None:
        """Add the profiles, and free the workers of the examples they are busy with."""
        self._gates.mkdir()
        self._workspace.mkdir()
        (self._workspace / "README").write_text("A tiny repository\n")
        with (self.product.data_dir / "profiles.toml").open("a") as profiles:
            profiles.write(PROFILES.replace("{gates}", str(self._gates)))
        for status in ("queued", "building", "running"):
            for run in self._get("/runs", status=status)["items"]:
                self._http.post(f"/runs/{run['id']}/cancel")
        wait_until(self.workers_are_free)

    def workers_are_free(self) -> bool:
        stats = self._get("/queue/health")["stats"]
        return bool(stats["maxConcurrent"] == 2 and stats["waiting"] + stats["running"] == 0)

    @contextmanager
    def cleaned_up(self) -> Iterator[Self]:
        """Cancel what a test has made and leave free workers to the next one."""
        yield self
        for work_order_id in self._made:
            self.cancel(work_order_id)
        self._made.clear()
        wait_until(self.workers_are_free)

    def create(self, profile: str = "failing", prompt: str = PROMPT) -> str:
        """A work order without runs; its ID."""
        source = {"type": "local", "path": str(self._workspace)}
        body = {"taskPrompt": prompt, "workspaceSource": source, "profileName": profile}
        answer = self._http.post("/work-orders", json=body)
        assert answer.status_code == 201, answer.text
        return self._own(answer.json()["data"]["id"])

    def create_by_command(self, profile: str, prompt: str) -> str:
        """The same as an operator does it on the machine."""
        workspace = str(self._workspace)
        arguments = ("--workspace", workspace, "--profile", profile, "--", prompt)
        return self._own(self.product.manage("create_work_order", *arguments).strip())

    def failed(self, profile: str = "failing") -> str:
        """A work order whose only run has failed."""
        work_order_id = self.create(profile)
        self.run_to_the_end(work_order_id)
        return work_order_id

    def running(self) -> tuple[str, str]:
        """A work order whose run waits at its first gate; the IDs of both."""
        work_order_id = self.create("gated")
        run_id = self.trigger(work_order_id)
        self.wait_for(run_id, {"running"})
        return work_order_id, run_id

    def trigger(self, work_order_id: str) -> str:
        answer = self._http.post(f"/work-orders/{work_order_id}/runs")
        assert answer.status_code in {201, 202}, answer.text
        body = answer.json()
        run_id: str = (body.get("data") or body["error"]["details"])["runId"]
        return run_id

    def run_to_the_end(self, work_order_id: str) -> str:
        run_id = self.trigger(work_order_id)
        self.wait_for(run_id, FINAL)
        return run_id

    def wait_for(self, run_id: str, statuses: set[str]) -> None:
        wait_until(lambda: self.run(run_id)["status"] in statuses)

    def release(self, work_order_id: str, *iterations: int) -> None:
        for iteration in iterations or (1, 2, 3):
            (self._gates / f"{work_order_id}.{iteration}").touch()

    def cancel(self, work_order_id: str) -> None:
        self._http.delete(f"/work-orders/{work_order_id}")

    def run(self, run_id: str) -> dict[str, Any]:
        return self._get(f"/runs/{run_id}")

    def run_numbers(self, work_order_id: str) -> list[int]:
        """Newest first."""
        return [run["runNumber"] for run in self.runs(work_order_id)]

    def runs(self, work_order_id: str) -> list[dict[str, Any]]:
        """Newest first."""
        runs: list[dict[str, Any]] = self._get("/runs", workOrderId=work_order_id)["items"]
        return runs

    def find(self, search: str) -> str:
        """The ID of an example work order, by words of its prompt."""
        items = self._get("/work-orders", search=search)["items"]
        assert len(items) == 1
        found: str = items[0]["id"]
        return found

    def _own(self, work_order_id: str) -> str:
        self._made.append(work_order_id)
        return work_order_id

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self._http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data
