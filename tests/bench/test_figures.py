"""The table and the JSON file that ``make bench`` writes."""

import json
from pathlib import Path

from bench.figures import Figure, median_and_p95, percentile, table, write_json

FIGURES = [
    Figure("Browser", "dialog", 79.6, "ms", goal=80),
    Figure("Browser", "requests", 12, "requests"),
    Figure("Server", "refresh", 4.631, "ms", goal=2),
]


def lines() -> list[str]:
    return table(FIGURES).splitlines()


def test_table_has_a_heading_for_each_part() -> None:
    assert [line for line in lines() if line and not line.startswith(" ")] == ["Browser", "Server"]


def test_table_line_has_name_value_and_unit() -> None:
    assert lines()[2].split() == ["requests", "12", "requests"]


def test_table_shows_whether_a_goal_is_met() -> None:
    assert lines()[1].split()[-3:] == ["goal", "80", "ok"]
    assert lines()[-1].split()[-3:] == ["goal", "2", "MISSED"]


def test_json_contains_figures_and_facts(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_json(path, FIGURES, cores=2)
    written = json.loads(path.read_text())
    assert written["cores"] == 2
    assert written["figures"][-1] == {
        "part": "Server",
        "name": "refresh",
        "value": 4.631,
        "unit": "ms",
        "goal": 2,
        "meets_goal": False,
    }


def test_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 95) == 7


def test_only_the_median_has_the_goal() -> None:
    figures = median_and_p95("Browser", "paint", range(101), "ms", goal=150)
    assert [figure.value for figure in figures] == [50, 95]
    assert [figure.goal for figure in figures] == [150, None]
