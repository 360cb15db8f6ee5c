"""The container files refer to files of the repository. The image itself is not built here."""

import re

import pytest

from tests.support.product import ROOT

COPIED = re.findall(
    r"^COPY (?!--from)(\S+) ", (ROOT / "Containerfile").read_text(), flags=re.MULTILINE
)


def test_containerfile_copies_files() -> None:
    assert "manage.py" in COPIED


@pytest.mark.parametrize("name", COPIED)
def test_copied_file_exists_and_is_sent_to_the_builder(name: str) -> None:
    assert (ROOT / name).exists()
    assert f"!{name}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_workers_are_not_given_the_keys_of_web_servers() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    shared = compose.partition("\nx-product:")[2].partition("\nservices:")[0]
    worker = compose.partition("\n  worker:")[2].partition("\n  postgres:")[0]
    assert "DATABASE_URL" in shared
    assert not re.findall("SECRET_KEY|RUNS_API_KEY|METRICS_TOKEN", shared + worker)
