"""Measured values, and how they are printed as a table and written as JSON."""

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    Attributes:
        part: the heading under which the table shows the value.
        goal: the greatest value that meets the goal; ``None``: there is no goal.
    """

    part: str
    name: str
    value: float
    unit: str
    goal: float | None = None

    @property
    def meets_goal(self) -> bool | None:
        return None if self.goal is None else self.value <= self.goal


def median_and_p95(
    part: str,
    name: str,
    values: Sequence[float],
    unit: str,
    *,
    goal: float | None = None,
    p95_goal: float | None = None,
) -> list[Figure]:
    return [
        Figure(part, f"{name}, median of {len(values)}", statistics.median(values), unit, goal),
        Figure(part, f"{name}, p95", percentile(values, 95), unit, p95_goal),
    ]


def percentile(values: Sequence[float], rank: int) -> float:
    """The percentile ``rank`` (1 to 99) of the values; NaN without values."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[rank - 1]


def table(figures: Iterable[Figure]) -> str:
    """One line per figure: name, value, unit, goal and verdict; each part has a heading."""
    lines: list[str] = []
    part = ""
    for figure in figures:
        if figure.part != part:
            part = figure.part
            lines += ["", part]
        lines.append(_line(figure))
    return "\n".join(lines).lstrip("\n")


def _line(figure: Figure) -> str:
    line = f"  {figure.name:<62}{_number(figure.value):>10} {figure.unit:<14}"
    if figure.goal is not None:
        verdict = "ok" if figure.meets_goal else "MISSED"
        line += f" goal {_number(figure.goal):>6}  {verdict}"
    return line.rstrip()


def _number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def write_json(path: Path, figures: Iterable[Figure], **facts: Any) -> None:
    """Write ``{**facts, "figures": [{part, name, value, unit, goal, meets_goal}, …]}``.

    ``goal`` and ``meets_goal`` are null for a figure without a goal.
    """
    rows = [asdict(figure) | {"meets_goal": figure.meets_goal} for figure in figures]
    path.write_text(json.dumps(facts | {"figures": rows}, indent=2) + "\n")


def surroundings() -> dict[str, Any]:
    """Facts about the machine and the versions; two results are comparable when these agree."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cores": os.cpu_count(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "machine": platform.machine(),
        "python": platform.python_version(),
        "django": django.get_version(),
    }


def _commit() -> str:
    """Empty where there is no repository."""
    command = ("git", "describe", "--always", "--dirty")
    try:
        return subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL).strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
