"""``python -m bench`` measures, prints one table and writes one JSON file."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import browser, growth, live, server
from bench.figures import Figure, surroundings, table, write_json
from bench.scale import FULL, QUICK, Scale

PARTS: dict[str, Callable[[Scale], Iterator[Figure]]] = {
    "browser": browser.measure,
    "server": server.measure,
    "live": live.measure,
    "growth": growth.measure,
}
RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas: %(default)s")
    parser.add_argument("--quick", action="store_true", help="less of everything; under 2 minutes")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE")
    arguments = parser.parse_args()
    chosen = arguments.only.split(",")
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    before = surroundings()
    figures: list[Figure] = []
    for name in chosen:
        began = time.monotonic()
        figures += PARTS[name](QUICK if arguments.quick else FULL)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(table(figures))
    write_json(arguments.json, figures, quick=arguments.quick, **before)
    missed = sum(figure.meets_goal is False for figure in figures)
    goals = sum(figure.goal is not None for figure in figures)
    print(f"\n{goals - missed} of {goals} goals met; all figures are in {arguments.json.name}")


if __name__ == "__main__":
    main()
