"""Hides paths on the workers' machines from viewers, people who may not start runs.

Such paths reveal names of users, customers and mounts. A viewer sees ``…/shop`` instead of
``/srv/acme/shop``. Two paths are shortened: the work order's workspace, and the run's own copy of
the workspace, a folder whose name begins with the run's ID. Any other path in an agent's output
stays as it is.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from django.http import HttpRequest

from workorders.attempts.permissions import TRIGGER_PERMISSION
from workorders.runs.loaders import RunDetail
from workorders.runs_api.client import RunsClient
from workorders.runs_api.run_log import RunLog
from workorders.runs_api.schemas import Run, WorkOrder

LONGEST_LINE = 1_000_000
"""Number of characters of a log that are held back until their line ends, so that no path is cut in
two. A longer line is passed on in parts."""


def are_hidden(request: HttpRequest) -> bool:
    """Whether the user of the request is a viewer."""
    return not request.user.has_perm(TRIGGER_PERMISSION)


def without_host_path(work_order: WorkOrder) -> WorkOrder:
    """A copy of the work order with a short workspace."""
    return replace(work_order, workspace=_short(work_order.workspace))


def without_host_paths(detail: RunDetail) -> RunDetail:
    """A copy without host paths in the work order, the run's error, its iterations and its log."""
    hidden = _HostPaths(detail.run, detail.work_order)
    iterations = tuple(
        replace(iteration, verification_output=hidden.hide(iteration.verification_output))
        for iteration in detail.run.iterations
    )
    run = replace(detail.run, error=hidden.hide(detail.run.error), iterations=iterations)
    return replace(
        detail,
        run=run,
        work_order=without_host_path(detail.work_order) if detail.work_order else None,
        log=_log(detail.log, hidden) if detail.log else None,
    )


def log_without_host_paths(client: RunsClient, run_id: str, parts: Iterable[str]) -> Iterator[str]:
    """Yield the log ``parts`` of a run without host paths, split at line ends.

    Raises ``RunsAPIError`` when the run or its work order cannot be read, before the first part is
    yielded. Errors raised by ``parts`` pass through.
    """
    run = client.get_run(run_id)
    work_order = client.get_work_order(run.work_order_id) if run.work_order_id else None
    hidden = _HostPaths(run, work_order)
    rest = ""
    for part in parts:
        lines, end, rest = (rest + part).rpartition("\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = lines + end + rest, ""
        yield hidden.hide(lines + end)
    yield hidden.hide(rest)


class _HostPaths:
    """The paths to hide in the texts of one run."""

    def __init__(self, run: Run, work_order: WorkOrder | None) -> None:
        self._workspace = work_order.workspace if work_order else ""
        self._copy = re.compile(rf"(?:/[^/\s'\"`:=]+)*/(?={re.escape(run.id)})")

    def hide(self, text: str) -> str:
        shorter = _short(self._workspace)
        if shorter != self._workspace:
            text = text.replace(self._workspace, shorter)
        return self._copy.sub("…/", text)


def _log(log: RunLog, hidden: _HostPaths) -> RunLog:
    return replace(log, finished=hidden.hide(log.finished), unfinished=hidden.hide(log.unfinished))


def _short(path: str) -> str:
    """``…/shop`` for ``/srv/acme/shop``; a repository such as ``owner/name`` is unchanged."""
    name = path.rstrip("/").rpartition("/")[2]
    return f"…/{name}" if path.startswith("/") else path
