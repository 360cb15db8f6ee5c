"""The toasts about a start: "Run #3 started" when that is known, else "Run … accepted".

A real server has named runs by ID that never existed afterwards. A run that is named by ID alone
is therefore called "started" only once the API has shown the run.
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
        messages.success(request, words(run, is_seen=True), extra_tags=tag)
    else:
        messages.info(request, words(run, is_seen=False), extra_tags=tag)


def remove(request: HtmxHttpRequest, key: uuid.UUID) -> None:
    """Remove the waiting toasts about the start with this key, and no others."""
    for message in _waiting(request):
        if message.extra_tags != _start_tag(key):
            _keep(request, message)


def upgrade(request: HtmxHttpRequest, run: Run) -> None:
    """Turn a waiting toast "accepted" into "started", because this page shows the run."""
    if request.htmx:
        return  # a response with a part of a page shows no toasts
    for message in _waiting(request):
        if message.message == words(RunReference(run.id), is_seen=False):
            message.level, message.message = messages.SUCCESS, words(run, is_seen=True)


def replace(request: HtmxHttpRequest, accepted: RunReference | None, run: Run) -> None:
    """Add "Run #3 started" for the next page in place of "Run … accepted".

    ``accepted`` is the run as the response named it, and so as the toast "accepted" names it;
    ``None``: there is no such toast.
    """
    for message in _waiting(request):
        if accepted is None or message.message != words(accepted, is_seen=False):
            _keep(request, message)
    messages.success(request, words(run, is_seen=True))


def withdraw(request: HtmxHttpRequest, attempt: TriggerAttempt, run: Run) -> bool:
    """Remove the waiting toasts that say that ``attempt`` has started ``run``: that was wrong.

    Returns whether a toast was removed.
    """
    if request.htmx:
        return False
    numbered = RunReference(run.id, attempt.next_run_number)
    wrong = (
        words(RunReference(run.id), is_seen=False),
        words(numbered, is_seen=True),
        ERROR_TABLE[QUEUED].message,
    )
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
    """The toasts for the next page. Reading them takes them out of the storage."""
    return list(messages.get_messages(request))


def words(run: Run | RunReference, *, is_seen: bool) -> str:
    """What a toast says of a run: "started" once the run is known to exist, else "accepted"."""
    return f"{run.label} {'started' if is_seen else 'accepted'}"
