"""How times, durations, statuses and logs are written."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.template.loader import get_template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from workorders.error_table import ERROR_TABLE
from workorders.errors import RunsAPIError
from workorders.exit_codes import how_it_ended, meaning_of
from workorders.runs_api.schemas import Iteration, Run
from workorders.text.legible import legible, legible_html
from workorders.text.terminal import rendered

ICONS = {
    "queued": "clock",
    "building": "loader",
    "running": "loader",
    "succeeded": "check",
    "passed": "check",
    "failed": "x",
    "cancelled": "ban",
}


def _exact(moment: datetime) -> str:
    clock = f"{moment:%I:%M %p}".lstrip("0")
    return f"{moment:%b} {moment.day}, {moment.year} at {clock}"


def moment(value: datetime | None, *, ago: bool = False) -> SafeString | str:
    """A ``<time>``: "Jan 2, 2026 at 10:00 AM UTC", or its age with the exact value on hover.

    The page's script writes it in the operator's zone; the server knows only UTC. An age
    carries its seconds so far and grows like a duration: see ``elapsed``.
    """
    if value is None:
        return "–"
    exact = f"{_exact(value.astimezone(UTC))} UTC"
    age = timezone.now() - value
    seconds = max(int(age.total_seconds()), 0)
    return format_html(
        '<time datetime="{}" title="{}" data-moment{}>{}</time>',
        value.isoformat(timespec="milliseconds"),
        exact,
        format_html('=ago data-age="{}"', seconds) if ago else "",
        f"{duration(age, short=True)} ago" if ago else exact,
    )


def elapsed(start: datetime | None, end: datetime | None, *, ticks: bool = False) -> SafeString:
    """How long something took, or for ``ticks`` how long it has been going on.

    A ticking one carries its seconds so far; the page's script counts on from
    there with its own clock, so a wrong clock on either side does not show.
    """
    if start is None or (end is None and not ticks):
        return SafeString("–")
    taken = (end or timezone.now()) - start
    if end is not None:
        return format_html("<span>{}</span>", duration(taken))
    seconds = max(int(taken.total_seconds()), 0)
    return format_html('<span data-elapsed="{}">{}</span>', seconds, duration(taken))


def seconds(value: int | None) -> str:
    return duration(timedelta(seconds=value)) if value is not None else ""


def duration(value: timedelta, *, short: bool = False) -> str:
    """ "2 min 5 s"; ``short`` keeps the largest unit alone: "2 min"."""
    total = max(int(value.total_seconds()), 0)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = []
    for unit, size in units:
        count, total = divmod(total, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[: 1 if short else 2]) or "0 s"


# A page has a hundred of these, and an {% include %} of each would be half of its time.


@lru_cache(maxsize=64)
def icon(name: str) -> SafeString:
    """One of ``components/icons.html``; it says nothing, the words beside it do."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="#icon-{}"/></svg>', name
    )


@lru_cache(maxsize=64)
def status(name: str) -> SafeString:
    """A status as icon and word."""
    symbol = icon(ICONS.get(name, "help"))
    known = SafeString("" if name in ICONS else " data-unknown")
    return format_html(
        '<span class="status" data-status="{0}" dir="auto"{2}>{1}{0}</span>', name, symbol, known
    )


ROWS_KEPT = 5_000
_finished_rows: dict[tuple[object, ...], SafeString] = {}


def run_row(run: Run) -> SafeString:
    """A run in a table. One that is over never looks different again, so it is drawn once
    for everybody: a page of fifty would take longer for its rows than for all the rest.
    """
    if not run.is_final:
        return _drawn_row(run)
    shown = (run.id, run.number, run.status, run.imported, run.iteration_count, run.triggered_by)
    key = (*shown, run.started_at, run.completed_at)
    row = _finished_rows.get(key)
    if row is None:
        if len(_finished_rows) >= ROWS_KEPT:
            _finished_rows.clear()
        row = _finished_rows[key] = _drawn_row(run)
    return row


def _drawn_row(run: Run) -> SafeString:
    return SafeString(get_template("runs/run_row.html").render({"run": run}))


def iteration_outcome(iteration: Iteration) -> str:
    """What became of an iteration, in a few words; ``""`` where it is not known."""
    if iteration.verified:
        return "Verification passed"
    if iteration.verified is False:
        code = iteration.verification_exit_code or 0
        return f"Verification {how_it_ended(code)}" if meaning_of(code) else "Verification failed"
    if iteration.agent_exit_code:
        return f"Agent {how_it_ended(iteration.agent_exit_code)}"
    return "In progress" if iteration.status == "running" else ""


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    suffix = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{suffix or 'th'}"


def error_message(code: str) -> str:
    """The words for an error that the page's script shows by itself."""
    return ERROR_TABLE[code].message


def error_details(error: RunsAPIError) -> SafeString:
    """What helps the people who run the dashboard and the API, folded away."""
    lines = [line for line in (error.diagnosis, error.reference) if line]
    if not lines:
        return SafeString("")
    return format_html(
        '<details class="error-details"><summary>{}Details</summary>{}</details>',
        icon("chevron"),
        format_html_join("", '<p class="reference" dir="auto">{}</p>', ((line,) for line in lines)),
    )


def without_blank_lines(text: str) -> str:
    """For a beginning that is cut after a few lines."""
    return "\n".join(line for line in text.splitlines() if line.strip())


def legible_content(text: str, longest: int | None = None) -> SafeString:
    """Text from elsewhere as the content of an element; ``longest``: an excerpt of it."""
    return legible_html(text, longest)


def plain(text: str) -> str:
    """The same for an attribute or a title, which cannot hold elements."""
    return legible(text)


def log_text(text: str, longest: int | None = None) -> SafeString:
    """What a terminal would have left of it on its lines; ``longest``: so many at its end."""
    text = rendered(text)
    if longest is not None and len(text) > longest:
        text = f"[{len(text) - longest:,} characters left out here]\n{text[-longest:]}"
    return legible_html(text)
