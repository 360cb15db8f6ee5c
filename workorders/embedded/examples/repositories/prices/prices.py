"""Prices in cents."""


def with_discount(cents: int, percent: int) -> int:
    return int(cents * (1 - percent / 100))
