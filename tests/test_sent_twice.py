"""One form, sent more than once: what it has come to is never lost or taken for another's."""

import pytest
from django.db import connection

from tests import runs_api as api
from tests.runs_api import Asked, Handler, RunsAPI
from tests.trigger_form import TriggerForm
from workorders.models import TriggerAttempt


@pytest.fixture(autouse=True)
def _failed_work_order(runs_api: RunsAPI) -> None:
    runs_api.has()


ACTIVE = api.refusal(409, "RUN_ALREADY_ACTIVE", details={"runId": "run-2", "runNumber": 2})


@pytest.mark.django_db(transaction=True)
def test_the_slower_of_two_requests_finds_the_run_of_the_faster(
    runs_api: RunsAPI, form: TriggerForm
) -> None:
    """Against an API that does not know ``Idempotency-Key``."""

    def refuse_after_the_other_was_answered(handler: Handler, asked: Asked) -> None:
        TriggerAttempt.objects.update(
            state="started", run_id="run-2", run_number=2, outcome="started"
        )
        connection.close()  # this thread's own
        ACTIVE(handler, asked)

    runs_api.triggers(refuse_after_the_other_was_answered)
    runs_api.has_run(id="run-2", runNumber=2)
    answered = form.send()
    assert answered.location == "/runs/run-2/"
    assert "Run #2 started" in answered.next_page
    assert form.send().location == "/runs/run-2/"
    assert len(runs_api.triggered) == 1


def test_the_same_form_with_other_options_is_refused(runs_api: RunsAPI, form: TriggerForm) -> None:
    runs_api.triggers(api.data({"runId": "run-2", "runNumber": 2, "status": "queued"}, 201))
    form.send(max_iterations="1")
    answered = form.send(max_iterations="9")
    assert answered.status == 422
    assert "already used to start a run" in answered.html
    assert len(runs_api.triggered) == 1
