"""``/styleguide/``, in development only: every design token and component, in every state.

The page uses the templates of the real pages with sample values of the real types, so every
component looks as in the product.
"""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from workorders.availability import Availability, BlockedReason, trigger_availability
from workorders.runs_api.schemas import Profile, Run, WorkOrder
from workorders.trigger_run.dialog import DialogContext
from workorders.trigger_run.forms import TriggerRunForm
from workorders.trigger_run.loaders import TriggerDialog

# Each semantic colour token of static/css/tokens.css, and where it is used.
COLOURS = {
    "surface": "the page",
    "surface-raised": "cards, buttons, fields",
    "surface-sunken": "logs, hover, what cannot be used",
    "line": "what divides",
    "line-strong": "borders of what can be used",
    "ink": "text",
    "ink-soft": "labels, hints",
    "accent": "links, the one main action, focus",
    "accent-strong": "the same under the pointer",
    "accent-tint": "behind running",
    "on-accent": "text on accent",
    "good": "succeeded",
    "good-tint": "behind it",
    "bad": "failed, errors",
    "bad-tint": "behind them",
    "wait": "queued, warnings",
    "wait-tint": "behind them",
}
SPACES = (1, 2, 3, 4, 6, 8)
STATUSES = ("queued", "building", "running", "succeeded", "failed", "cancelled", "paused")
LEVELS = ("plain", "success", "warning", "error")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PROMPT = "Fix the authentication bug in the login flow"


def _run(number: int, status: str, *, minutes: int | None = None) -> Run:
    ended = NOON.replace(minute=minutes) if minutes is not None else None
    started = None if status == "queued" else NOON
    return Run(
        id=f"run-{number}",
        status=status,
        work_order_id="abc123",
        number=number,
        queued_at=NOON,
        started_at=started,
        completed_at=ended,
        iteration_count=number,
        queue_position=2 if status == "queued" else None,
    )


def _work_order(*runs: Run, status: str = "failed") -> WorkOrder:
    return WorkOrder(
        id="abc123",
        prompt=PROMPT,
        status=status,
        workspace="/srv/shop",
        profile_name="default",
        max_iterations=5,
        max_time=300,
        created_at=NOON,
        run_count=len(runs),
        runs=runs,
    )


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Render the style guide, with a trigger dialog that shows a field error."""
    work_order = _work_order(_run(2, "failed", minutes=5), _run(1, "failed", minutes=3))
    profiles = (Profile("default", "", 5), Profile("careful", "", 8))
    loaded = TriggerDialog(work_order, trigger_availability(work_order), profiles)
    key = str(TriggerRunForm.fresh().initial["key"])
    form = TriggerRunForm({"key": key, "max_iterations": "many", "profile_name": "careful"})
    form.is_valid()
    form.show_for(loaded)
    context = {
        "colours": COLOURS.items(),
        "spaces": SPACES,
        "statuses": STATUSES,
        "levels": LEVELS,
        "noon": NOON,
        "work_order": work_order,
        "runs": [
            _run(5, "queued"),
            _run(4, "running"),
            _run(3, "succeeded", minutes=9),
            *work_order.runs,
        ],
        "enabled": Availability(),
        "disabled": Availability(BlockedReason.ACTIVE, _run(4, "running")),
        "dialog": DialogContext(work_order_id=work_order.id, form=form, loaded=loaded),
    }
    return render(request, "styleguide.html", context)
