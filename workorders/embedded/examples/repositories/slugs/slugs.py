"""Addresses made from titles."""

import re


def slug(title: str) -> str:
    return re.sub(r"[^a-z]+", "-", title.lower())
