"""A pytest hook that gives parametrized tests readable IDs."""

import json

LONGEST_ID = 60
"""The number of characters of one value in the ID of a parametrized test."""


def pytest_make_parametrize_id(val: object) -> str | None:
    """Readable IDs of parametrized tests: JSON for objects and lists, and no endless texts."""
    if isinstance(val, dict | list | tuple):
        text = json.dumps(val, default=lambda value: type(value).__name__)
    elif isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        text = ascii(val).removeprefix("b")[1:-1]
    elif isinstance(val, Exception):
        text = type(val).__name__
    else:
        return None
    return text if len(text) <= LONGEST_ID else f"{text[: LONGEST_ID - 3]}..."
