"""Work orders, runs and profiles of the scenes, as a runs API tells of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

ID = "abc123"
RUN_ID = "run-abc123-2"
PROMPT = "Fix the authentication bug in the login flow"
LONG_PROMPT = "\n".join(
    [
        "Make the importer survive what our customers really send.",
        "",
        "1. A file without a header line is refused with a sentence that names the file.",
        "2. A cell with a line break in it stays one cell; see RFC 4180, section 2.6.",
        "3. https://example.com/a/very/long/address/" + "that-cannot-be-broken-" * 9 + "end.csv",
        "",
        *(f"- [ ] step {number}: run `pytest tests/test_importer.py`" for number in range(1, 19)),
    ]
)
RIGHT_TO_LEFT = "תקן את הבדיקה של login, ואז הרץ שוב (פעמיים)!"
"""A prompt in Hebrew; an English word, a bracket and a mark at its end show its direction."""
LONG_ID = "wo-" + "0123456789abcdef" * 7
STRANGE = "\u202e" + "\ufdfd" * 100 + "e" + "\u0301" * 200 + "क्" * 100
"""Out of order, as wide as letters are, as high, and without a place to break."""
LONG_ERROR = "Verification still failed after 3 iterations.\nThe last words of it:\n" + "E" * 160
OUTPUT = "\n".join(
    [
        "============================= test session starts =============================",
        "collected 4 items",
        "test_login.py ..F.                                                       [100%]",
        "FAILED test_login.py::test_token_expires - AssertionError: 3600 != 900",
        "1 failed, 3 passed in 0.12s",
    ]
)
LOG_TEXT = "\n".join(
    ["Copying the workspace", *(f"Iteration 1: line {number} of it" for number in range(1, 60))]
)
STATUSES = ("failed", "running", "queued", "succeeded", "canceled", "paused")
"""The last one is none that the dashboard knows."""
PROFILES = (
    {"name": "default", "description": "As ever", "maxIterations": 3},
    {"name": "careful", "description": "More attempts", "maxIterations": 5},
)


def at(minute: int) -> str:
    """A time that never changes."""
    return (datetime(2026, 1, 2, 10, 0, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()


def ago(minutes: float) -> str:
    """For what goes on at this moment."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def work_order(**fields: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "id": ID,
        "taskPrompt": PROMPT,
        "status": "failed",
        "workspaceSource": {"type": "local", "path": "/srv/repositories/login"},
        "profileName": "default",
        "maxIterations": 3,
        "maxTime": 1800,
        "createdAt": at(0),
        "runs": [],
    } | fields
    whole.setdefault("runCount", len(whole["runs"]))
    return whole


def run(number: int, status: str = "failed", **fields: Any) -> dict[str, Any]:
    """The ``number``-th run of the work order, over unless its status says something else."""
    is_over = status in {"failed", "succeeded", "canceled"}
    started = None if status == "queued" else at(number * 10) if is_over else ago(12)
    return {
        "id": f"run-abc123-{number}",
        "workOrderId": ID,
        "runNumber": number,
        "status": status,
        "queuedAt": at(number * 10) if is_over else ago(13),
        "startedAt": started,
        "completedAt": at(number * 10 + 4) if is_over else None,
        "iterationCount": 0 if status == "queued" else 2,
        "profileName": "default",
        "maxIterations": 3,
        "logSize": len(LOG_TEXT),
    } | fields


def runs(count: int, newest: str = "failed") -> list[dict[str, Any]]:
    """Newest first; all but the newest have failed."""
    older = [run(number) for number in range(count - 1, 0, -1)]
    return [run(count, newest), *older]


def iteration(number: int, *, passed: bool | None = False, output: str = OUTPUT) -> dict[str, Any]:
    """``passed`` is ``None`` while it is at work."""
    found: dict[str, Any] = {
        "number": number,
        "status": {True: "passed", False: "failed", None: "running"}[passed],
        "startedAt": at(number * 2),
        "completedAt": None if passed is None else at(number * 2 + 2),
    }
    if passed is None:
        return found | {"startedAt": ago(2)}
    exit_code = 0 if passed else 1
    return found | {"verification": {"passed": passed, "exitCode": exit_code, "output": output}}


def log(text: str = LOG_TEXT) -> dict[str, Any]:
    size = len(text)
    return {"text": text, "offset": 0, "nextOffset": size, "size": size, "complete": True}
