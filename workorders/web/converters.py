"""Path converters for ``urls.py``."""

from urllib.parse import quote, unquote

from django.urls.converters import StringConverter

from workorders.runs_api.json_values import LONGEST_ID


class IdentifierConverter(StringConverter):
    """Any ID of a runs API as one segment of a path.

    An ID with "/" or "%", or of dots only, is percent-encoded here and again by Django. Web servers
    decode a path once and would read a single-encoded "/" or ".." as path structure.
    """

    def to_python(self, value: str) -> str:
        """Decode an ID; ``ValueError`` (no match) where it is too long or contains NUL."""
        identifier = unquote(value)
        if len(identifier) > LONGEST_ID or "\0" in identifier:
            raise ValueError("no runs API has such an ID")
        return identifier

    def to_url(self, value: str) -> str:
        if set(value) & {"/", "%"} or not value.strip("."):
            return quote(value, safe="").replace(".", "%2E")
        return value
