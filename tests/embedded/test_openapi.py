"""The OpenAPI document matches the API: it has every route, and responses match its schemas."""

import json
import re
from collections.abc import Callable
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import positive_data_acceptance
from schemathesis.core.result import Ok  # noqa: TC002

from tests.embedded.conftest import Api
from tests.support.thorough import THOROUGH
from workorders.embedded.api import urls
from workorders.embedded.api.openapi import document
from workorders.embedded.models import Iteration, LogChunk, Run, Status, Worker, WorkOrder
from workorders.embedded.transitions import claim_next, finish
from workorders.embedded.wsgi import application

KNOWN = {"workOrderId": "known-order", "runId": "known-run", "name": "careful"}


def as_documented(route: str) -> str:
    """``runs/<str:run_id>`` → ``/runs/{runId}``."""
    path = re.sub(r"<str:(\w+)>", r"{\1}", route)
    return "/" + re.sub(r"_([a-z])", lambda match: match[1].upper(), path)


def test_document_is_served_unchanged(api: Api) -> None:
    assert api.get("/openapi.json").json() == document()


def test_routes_and_methods_are_the_documented_ones(api: Api) -> None:
    routes = [str(pattern.pattern) for pattern in urls.urlpatterns[:-1]]
    served = {}
    for path in map(as_documented, routes):
        response = api.http.request("TRACE", path.format(**KNOWN))
        served[path] = set(response.headers["Allow"].split(", ")) - {"HEAD"}
    documented = {
        path: {method.upper() for method in operations}
        for path, operations in document()["paths"].items()
    }
    assert served == documented


@pytest.fixture
def stored(
    api: Api,
    make_work_order: Callable[..., WorkOrder],
    trigger: Callable[..., Run],
    free_worker: Worker,
) -> None:
    """Rows of every kind, so that responses have content to check."""
    known = make_work_order(id=KNOWN["workOrderId"])
    run = trigger(known)
    Run.objects.filter(pk=run.pk).update(id=KNOWN["runId"])
    claim_next("w")
    claimed = Run.objects.get(pk=KNOWN["runId"])
    Iteration.objects.create(run=claimed, number=1, agent_exit_code=0, verify_exit_code=1)
    LogChunk.objects.create(run=claimed, offset=0, data=b"a log")
    finish(claimed, "w", Status.FAILED, "It failed.")
    trigger(make_work_order(prompt="Another one"), sent={"profileName": "careful"})


EXAMPLES = 150 if THOROUGH else 10
schema = schemathesis.openapi.from_dict(document())
schema.app = application
schema.location = "/api/v1/openapi.json"
schema.config.generation.update(max_examples=EXAMPLES)


@schemathesis.hook
def map_path_parameters(
    context: schemathesis.HookContext, path_parameters: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Use an existing ID in about half of the examples: random IDs are always unknown."""
    if path_parameters and sum(map(ord, json.dumps(path_parameters))) % 2:
        return {name: KNOWN[name] for name in path_parameters}
    return path_parameters


OPERATIONS = [cast("Ok[Any]", found).ok() for found in schema.get_all_operations()]


# The parametrize of schemathesis gives all its tests one name, so that several processes
# would run only one of them.
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_responses_match_the_document(stored: None, operation: Any) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case: Case[Any]) -> None:
        case.call_and_validate(
            headers={"Authorization": "Bearer the-key"},
            # A well-formed profile name is still refused when there is no such profile.
            excluded_checks=[positive_data_acceptance],
        )

    check()
