"""Text and HTML for timestamps, durations, statuses, runs, errors and logs."""

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

# The icon of each run or iteration status; other statuses show "help".
ICONS = {
    "queued": "clock",
    "building": "loader",
    "running": "loader",
    "succeeded": "check",
    "passed": "check",
    "failed": "x",
    "cancelled": "ban",
}


def _date_and_time(value: datetime) -> str:
    clock = f"{value:%I:%M %p}".lstrip("0")
    return f"{value:%b} {value.day}, {value.year} at {clock}"


def timestamp(value: datetime | None, *, ago: bool = False) -> SafeString | str:
    """A ``<time>`` element such as "Jan 2, 2026 at 10:00 AM UTC"; a dash for ``None``.

    The server knows only UTC; the page's script rewrites the text in the operator's time zone.
    With ``ago`` the text is the age, such as "5 min ago", and the timestamp appears on hover.
    ``data-age`` holds the age in seconds, from which the script counts on: see ``elapsed``.
    """
    if value is None:
        return "–"
    exact = f"{_date_and_time(value.astimezone(UTC))} UTC"
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
    """How long something took; a dash without a start or, unless ``ticks``, without an end.

    With ``ticks`` and without an end, the element shows the time since ``start`` and grows.
    ``data-elapsed`` holds the seconds so far. The page's script counts on from that number by the
    browser's clock, so the clocks of server and browser need not agree.
    """
    if start is None or (end is None and not ticks):
        return SafeString("–")
    taken = (end or timezone.now()) - start
    if end is not None:
        return format_html("<span>{}</span>", duration(taken))
    seconds = max(int(taken.total_seconds()), 0)
    return format_html('<span data-elapsed="{}">{}</span>', seconds, duration(taken))


def seconds(value: int | None) -> str:
    """A number of seconds as a duration; ``""`` for ``None``."""
    return duration(timedelta(seconds=value)) if value is not None else ""


def duration(value: timedelta, *, short: bool = False) -> str:
    """The two largest units, such as "2 min 5 s"; with ``short`` only the largest, "2 min"."""
    total = max(int(value.total_seconds()), 0)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    parts = []
    for unit, size in units:
        count, total = divmod(total, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[: 1 if short else 2]) or "0 s"


# A page shows about a hundred icons and statuses. An {% include %} for each would take half of the
# page's rendering time, so these are functions with a cache.


@lru_cache(maxsize=64)
def icon(name: str) -> SafeString:
    """An icon of ``components/icons.html``. Screen readers skip it and read the text beside."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="#icon-{}"/></svg>', name
    )


@lru_cache(maxsize=64)
def status(name: str) -> SafeString:
    """A status as icon and word. ``data-unknown`` marks a status that is not in ``ICONS``."""
    symbol = icon(ICONS.get(name, "help"))
    known = SafeString("" if name in ICONS else " data-unknown")
    return format_html(
        '<span class="status" data-status="{0}" dir="auto"{2}>{1}{0}</span>', name, symbol, known
    )


MAX_CACHED_ROWS = 2_000
_row_cache: dict[str, SafeString] = {}


def run_row(run: Run) -> SafeString:
    """The table row of a run.

    The row of a finished run is the same for everybody as long as no field of the run changes, so
    it is rendered once. The rows of fifty runs would otherwise take a third of a page's time.
    """
    if not run.is_final:
        return _render_row(run)
    key = repr(run)  # of every field, so that no field that the template shows can be forgotten
    row = _row_cache.get(key)
    if row is None:
        if len(_row_cache) >= MAX_CACHED_ROWS:
            _row_cache.clear()
        row = _row_cache[key] = _render_row(run)
    return row


def _render_row(run: Run) -> SafeString:
    return SafeString(get_template("runs/run_row.html").render({"run": run}))


def iteration_outcome(iteration: Iteration) -> str:
    """The result of an iteration in a few words; ``""`` where the result is not known."""
    if iteration.verified:
        return "Verification passed"
    if iteration.verified is False:
        code = iteration.verification_exit_code or 0
        return f"Verification {how_it_ended(code)}" if meaning_of(code) else "Verification failed"
    if iteration.agent_exit_code:
        return f"Agent {how_it_ended(iteration.agent_exit_code)}"
    return "In progress" if iteration.status == "running" else ""


def error_message(code: str) -> str:
    """The message of an error code of ``ERROR_TABLE``, for errors that a script shows."""
    return ERROR_TABLE[code].message


def error_details(error: RunsAPIError) -> SafeString:
    """A closed ``<details>`` for the people who operate the dashboard and the runs API.

    It holds the diagnosis and the reference of the error; the result is empty without both.
    """
    lines = [line for line in (error.diagnosis, error.reference) if line]
    if not lines:
        return SafeString("")
    return format_html(
        '<details class="error-details"><summary>{}Details</summary>{}</details>',
        icon("chevron"),
        format_html_join("", '<p class="reference" dir="auto">{}</p>', ((line,) for line in lines)),
    )


def without_blank_lines(text: str) -> str:
    """Remove blank lines, so that an excerpt of a few lines shows as much text as possible."""
    return "\n".join(line for line in text.splitlines() if line.strip())


def legible_content(text: str, longest: int | None = None) -> SafeString:
    """Untrusted text as the content of an element.

    ``longest`` limits the result to so many characters of the text.
    """
    return legible_html(text, longest)


def plain(text: str) -> str:
    """Untrusted text for an attribute or a title, which cannot contain elements."""
    return legible(text)


def log_text(text: str, longest: int | None = None) -> SafeString:
    """The text of a log as a terminal would show it.

    ``longest`` keeps only so many characters from the end of the log.
    """
    text = rendered(text)
    if longest is not None and len(text) > longest:
        text = f"[{len(text) - longest:,} characters left out here]\n{text[-longest:]}"
    return legible_html(text)
