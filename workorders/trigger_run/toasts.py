"""The toast of a start: "Run #3 started" where that is known, else "Run … accepted".

An answer that names a run by ID alone may be about one that never exists (recorded from
a real server), so "started" is said of it only once the API has shown the run.
"""

import uuid

from django.contrib import messages
from django.contrib.messages.storage.base import Message

from workorders.attempts.models import TriggerAttempt
from workorders.error_table import ERROR_TABLE
from workorders.runs_api.schemas import Run, RunReference
from workorders.trigger_run.forms import TriggerRunForm
from workorders.web.http import HtmxHttpRequest

QUEUED = "CAPACITY_EXCEEDED"


def start_tag(form: TriggerRunForm) -> str:
    """The tag that every toast about the start of this form carries: ``start-<key>``."""
    return _start_tag(uuid.UUID(str(form["key"].value())))


def add(request: HtmxHttpRequest, run: RunReference, *, is_seen: bool, tag: str) -> None:
    """Add "Run #3 started" when the run exists, else "Run … accepted". ``tag``: ``start_tag``."""
    if is_seen:
        messages.success(request, _started(run), extra_tags=tag)
    else:
        messages.info(request, _accepted(run), extra_tags=tag)


def remove(request: HtmxHttpRequest, key: uuid.UUID) -> None:
    """Remove the waiting toasts about the start with this key, and no others."""
    for message in _waiting(request):
        if message.extra_tags != _start_tag(key):
            _keep(request, message)


def upgrade(request: HtmxHttpRequest, run: Run) -> None:
    """The page at hand shows the run: so does the toast that waits for this page."""
    if request.htmx:
        return  # a part of a page shows no toasts
    for message in _waiting(request):
        if message.message == _accepted(RunReference(run.id)):
            message.level, message.message = messages.SUCCESS, _started(run)


def replace(request: HtmxHttpRequest, accepted: RunReference | None, run: Run) -> None:
    """The next page shows the run, under another name than the toast had, shown already or not."""
    for message in _waiting(request):
        if accepted is None or message.message != _accepted(accepted):
            _keep(request, message)
    messages.success(request, _started(run))


def withdraw(request: HtmxHttpRequest, attempt: TriggerAttempt, run: Run) -> bool:
    """A start was accepted under the ID of a run that is another's: no toast says so any more.

    True: one was about to, on the page that the starter was sent to.
    """
    if request.htmx:
        return False
    numbered = RunReference(run.id, attempt.next_run_number)
    wrong = (_accepted(RunReference(run.id)), _started(numbered), ERROR_TABLE[QUEUED].message)
    waiting = _waiting(request)
    kept = [message for message in waiting if not message.message.startswith(wrong)]
    for message in kept:
        _keep(request, message)
    return len(kept) < len(waiting)


def _start_tag(key: uuid.UUID) -> str:
    return f"start-{key}"


def _keep(request: HtmxHttpRequest, message: Message) -> None:
    """Add a toast again: ``_waiting`` has taken it out of the storage."""
    level, tags = message.level or messages.INFO, message.extra_tags or ""
    messages.add_message(request, level, message.message, extra_tags=tags)


def _waiting(request: HtmxHttpRequest) -> list[Message]:
    return list(messages.get_messages(request))


def _started(run: Run | RunReference) -> str:
    return f"{run.label} started"


def _accepted(run: RunReference) -> str:
    return f"{run.label} accepted"
