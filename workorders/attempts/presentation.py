"""The words for who started a run, with which options, and what an attempt came to."""

import datetime as dt
from collections.abc import Mapping

from django.contrib.auth.models import User
from django.utils.html import format_html
from django.utils.safestring import SafeString

from workorders.attempts.appearance import Appearance
from workorders.attempts.models import TriggerAttempt
from workorders.error_table import ERROR_TABLE, known_code
from workorders.runs_api.schemas import Run, RunOverrides, RunReference
from workorders.text.legible import legible
from workorders.web.formatting import timestamp

State = TriggerAttempt.State

AFTERWARDS: Mapping[str, str] = {  # ERROR_TABLE speaks to whoever has just pressed the button
    "NETWORK_ERROR": "Could not connect to server",
    "RATE_LIMITED": "Too many requests",
    "TRIGGER_IN_PROGRESS": "Another start of this work order was under way",
    "CHANGED": "The work order had changed since the dialog was opened",
    "WITHDRAWN": "The dialog was closed before the start had reached the dashboard",
}


APPEARANCES: Mapping[str, str] = {
    Appearance.WAITING: "Accepted, waiting for it to appear",
    Appearance.MISSING: "Accepted, but it never appeared",
    Appearance.SEVERAL: "Accepted, but it cannot be told which one it is",
}


def run_origin(run: Run | RunReference, work_order_id: str, viewer: User) -> SafeString | str:
    """Who started a run and when, as HTML: "started by alice 2 min ago".

    Parts that are not known are left out; the text is empty when nothing is known. The time is
    the run's own where the API gives one, because the page shows the run's duration beside it.
    """
    attempt = TriggerAttempt.objects.of_run(run.id, work_order_id).filter(run_id=run.id).first()
    if attempt and (attempt.is_seen or attempt.known_run_ids is not None):
        who = "you" if attempt.user == viewer else attempt.user.username
        began = (run.started_at or run.queued_at) if isinstance(run, Run) else None
        return format_html(
            "started by <bdi>{}</bdi> {}", who, timestamp(began or attempt.sent_at, ago=True)
        )
    if not isinstance(run, Run):
        return ""
    key = run.triggered_by
    by = format_html(" by the API key <bdi>{}</bdi>", key) if key else ""
    if run.started_at:
        return format_html("started{} {}", by, timestamp(run.started_at, ago=True))
    if run.queued_at:
        return format_html("queued{} {}", by, timestamp(run.queued_at, ago=True))
    return ""


def options_words(overrides: RunOverrides) -> str:
    """The options as the operator typed them: "Max Iterations 5, Profile careful"."""
    words = []
    if overrides.max_iterations is not None:
        words.append(f"Max Iterations {overrides.max_iterations}")
    if overrides.profile_name:
        words.append(f"Profile {legible(overrides.profile_name, 255)}")
    return ", ".join(words) or "this work order's settings"


def attempt_options(attempt: TriggerAttempt, run: Run | str) -> SafeString:
    """The options of an attempt as HTML, with a leading space or comma.

    " with Max Iterations 5" when the API shows that the run has these options, else
    ", asked for Max Iterations 5".
    """
    words = options_words(attempt.overrides)
    if attempt.overrides.body() is None or _are_shown(attempt.overrides, run):
        return format_html(" with <bdi>{}</bdi>", words)
    return format_html(", asked for <bdi>{}</bdi>", words)


def _are_shown(asked: RunOverrides, run: Run | str) -> bool:
    if not isinstance(run, Run):  # a page without a run passes ""
        return False
    own = RunOverrides.parse(run.overrides)
    count = own.max_iterations or run.max_iterations
    profile = own.profile_name or run.profile_name
    return asked.max_iterations in {None, count} and asked.profile_name in {"", profile}


def outcome_words(attempt: TriggerAttempt) -> str:
    """What an attempt came to: "Started", "Not started: Too many requests"."""
    match attempt.state:
        case State.STARTED:
            return _started_words(attempt)
        case State.SENT | State.UNCONFIRMED:
            return f"Not known yet: {_what_the_api_said(attempt)}"
        case State.UNRESOLVED:
            return f"Unknown: {_what_the_api_said(attempt)}"
    if attempt.outcome in {"", "NOT_STARTED"}:
        return "Not started"
    return f"Not started: {_reason(attempt.outcome)}"


def _what_the_api_said(attempt: TriggerAttempt) -> str:
    if attempt.names_other_run:
        return "the runs API accepted the start and named another run"
    return "the runs API did not say whether the run started"


def _started_words(attempt: TriggerAttempt) -> str:
    if attempt.outcome == "queued":
        return "Queued"
    if attempt.run_source == TriggerAttempt.RunSource.RECONCILED:
        return "Started, found among the work order's runs"
    return "Started" if attempt.is_seen else appearance_words(attempt)


def appearance_words(attempt: TriggerAttempt) -> str:
    """What is known of an accepted run, in the same words on every page."""
    return APPEARANCES.get(attempt.appearance, "Accepted, the run was not seen yet")


def took_words(attempt: TriggerAttempt) -> str:
    """How long the API took: "0.25 s".

    A dash from one minute on: the attempt was then settled by a later reconciliation, so the
    duration is not the API's.
    """
    took = attempt.duration
    return f"{took.total_seconds():.2f} s" if took and took < dt.timedelta(minutes=1) else "–"


def earlier_words(attempt: TriggerAttempt) -> list[str]:
    """The outcomes of earlier submissions of the same form, newest first."""
    if not attempt.was_resent:
        return []
    earlier = reversed(attempt.earlier_submissions.all())
    return [f"Before that: {_reason(submission.outcome)}" for submission in earlier]


def reason_words(code: str) -> str:
    """Why a start was refused; empty when the reason is not known."""
    if code in {"", "NOT_STARTED"}:
        return ""
    return _reason(code if code in AFTERWARDS else known_code(code, 0))


def _reason(code: str) -> str:
    handling = ERROR_TABLE.get(code)
    return AFTERWARDS.get(code) or (handling.message.rstrip(".") if handling else legible(code))
