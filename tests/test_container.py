"""The image is built from what the repository holds; it is not built here."""

import re

import pytest

from tests.product import ROOT

COPIED = re.findall(
    r"^COPY (?!--from)(\S+) ", (ROOT / "Containerfile").read_text(), flags=re.MULTILINE
)


def test_something_is_copied() -> None:
    assert "manage.py" in COPIED


@pytest.mark.parametrize("name", COPIED)
def test_what_is_copied_is_there_and_sent_to_the_builder(name: str) -> None:
    assert (ROOT / name).exists()
    assert f"!{name}" in (ROOT / ".dockerignore").read_text().splitlines()
