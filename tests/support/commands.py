"""Management commands, called within the process of the tests."""

from io import StringIO

from django.core.management import call_command


def run_command(*arguments: str) -> str:
    """The output of the command; ``CommandError`` when the command fails."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()
