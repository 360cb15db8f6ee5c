"""Paths on the workers' machines are shown in full only to operators, who may start runs there."""

import pytest
from django.test import Client

from tests.support import runs_api as api
from tests.support.page_text import show, text_of
from tests.support.runs_api import RunsAPI

WORKSPACE = "/srv/acme/shop"
COPY = "/var/lib/dashboard/workspaces/run-1"
LOG = (
    f"── Copying the workspace {WORKSPACE} ──\n"
    f'  File "{COPY}/prices.py", line 3\n'
    f"ran in {COPY}\nsee /usr/lib/python3\n"
)


@pytest.fixture
def api_with_paths(runs_api: RunsAPI) -> RunsAPI:
    """A run and a work order that contain host paths in every field that can hold one."""
    source = {"type": "local", "path": WORKSPACE}
    work_order = {"id": "wo-1", "taskPrompt": "Fix it", "status": "failed", "runs": []}
    runs_api.on("GET", "/work-orders/wo-1", api.data(work_order | {"workspaceSource": source}))
    verification = {"passed": False, "output": f"{COPY}/test_prices.py failed"}
    runs_api.has_run(
        logSize=len(LOG.encode()),
        error=f"Workspace not found: {WORKSPACE}",
        iterations=[{"number": 1, "status": "failed", "verification": verification}],
    )
    part = {"text": LOG, "offset": 0, "nextOffset": len(LOG.encode()), "size": len(LOG.encode())}
    runs_api.on("GET", "/runs/run-1/log", api.data(part))
    return runs_api


PAGES = ["/work-orders/wo-1/", "/runs/run-1/", "/runs/run-1/log/"]


@pytest.mark.parametrize("page", PAGES)
def test_viewer_sees_only_the_last_part_of_paths(
    api_with_paths: RunsAPI, viewer: Client, page: str
) -> None:
    text = text_of(show(viewer, page))
    assert "/srv" not in text
    assert "/var" not in text
    assert "…/shop" in text
    if "runs" in page:
        assert '"…/run-1/prices.py", line 3' in text
        assert "ran in …/run-1 see /usr/lib/python3" in text


@pytest.mark.parametrize("page", PAGES)
def test_operator_sees_full_paths(api_with_paths: RunsAPI, operator: Client, page: str) -> None:
    text = text_of(show(operator, page))
    assert WORKSPACE in text
    assert ("ran in " + COPY in text) is ("runs" in page)


def test_sources_that_are_not_paths_are_unchanged(runs_api: RunsAPI, viewer: Client) -> None:
    work_order = {"id": "wo-1", "taskPrompt": "Fix it", "status": "failed", "runs": []}
    source = {"type": "github", "repo": "acme/shop", "branch": "main"}
    runs_api.on("GET", "/work-orders/wo-1", api.data(work_order | {"workspaceSource": source}))
    assert "acme/shop (main)" in text_of(show(viewer, "/work-orders/wo-1/"))
