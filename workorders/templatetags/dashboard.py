"""How times, durations, statuses and logs are written."""

import re
from datetime import UTC, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from workorders.errors import RULES

register = template.Library()

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


@register.simple_tag
def moment(value: datetime | None, *, ago: bool = False) -> SafeString | str:
    """A ``<time>``: "Jan 2, 2026 at 10:00 AM UTC", or its age with the exact value on hover.

    The page's script writes it in the operator's zone; the server knows only UTC.
    """
    if value is None:
        return "–"
    exact = f"{_exact(value.astimezone(UTC))} UTC"
    age = f"{duration(timezone.now() - value, short=True)} ago"
    return format_html(
        '<time datetime="{}" title="{}" data-moment{}>{}</time>',
        value.isoformat(timespec="milliseconds"),
        exact,
        SafeString("=ago") if ago else "",
        age if ago else exact,
    )


@register.simple_tag
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


@register.filter
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


@register.filter
def status_icon(status: str) -> str:
    return ICONS.get(status, "help")


@register.filter
def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    suffix = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{suffix or 'th'}"


@register.simple_tag
def error_message(code: str) -> str:
    """The words for an error that the page's script shows by itself."""
    return RULES[code].message


@register.filter
def without_blank_lines(text: str) -> str:
    """For a beginning that is cut after a few lines."""
    return "\n".join(line for line in text.splitlines() if line.strip())


# ECMA-48: colours and cursor moves (CSI), titles and links (OSC), other escapes.
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])|[\x00-\x08\x0b-\x1f\x7f]"
)


@register.filter
def log_text(text: str) -> str:
    """A log without terminal control codes: a page is no terminal. Escaping is the template's."""
    return _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
