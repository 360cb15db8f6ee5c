from urllib.parse import quote, unquote

from django.urls.converters import StringConverter

from workorders.runs_api.json_values import LONGEST_ID


class IdentifierConverter(StringConverter):
    """Any ID of a runs API as one part of a path.

    Slashes, and dots alone, are quoted twice: a server undoes the first quoting
    and would take what it finds for structure.
    """

    def to_python(self, value: str) -> str:
        identifier = unquote(value)
        if len(identifier) > LONGEST_ID or "\0" in identifier:
            raise ValueError("no runs API has such an ID")
        return identifier

    def to_url(self, value: str) -> str:
        if set(value) & {"/", "%"} or not value.strip("."):
            return quote(value, safe="").replace(".", "%2E")
        return value
