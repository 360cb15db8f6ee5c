"""Monthly report: the sum of every account."""

from collections.abc import Iterable


def totals(lines: Iterable[str]) -> dict[str, int]:
    result: dict[str, int] = {}
    for line in list(lines):
        account, amount = line.split(",")
        result[account] = int(amount)
    return result
