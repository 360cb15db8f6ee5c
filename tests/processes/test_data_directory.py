"""A data folder that is in use, damaged or not this product's: one sentence, no traceback."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.product import ROOT, Product
from workorders.processes.data_directory import locked

DATABASE = "dashboard.sqlite3"


def start(data_dir: Path, **variables: str) -> str:
    """What ``serve`` says when it cannot start."""
    product = Product(data_dir, DATABASE_URL="", **variables)
    done = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=product.environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def is_no_database(data_dir: Path) -> None:
    (data_dir / DATABASE).write_bytes(os.urandom(20_000))


def is_of_another_program(data_dir: Path) -> None:
    connection = sqlite3.connect(data_dir / DATABASE)
    connection.execute("CREATE TABLE recipes (name)")
    connection.close()


def has_damaged_pages(data_dir: Path) -> None:
    Product(data_dir, DATABASE_URL="").manage("migrate", "--verbosity", "0")
    with (data_dir / DATABASE).open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(20 * 4096))


def is_newer(data_dir: Path) -> None:
    Product(data_dir, DATABASE_URL="").manage("migrate", "--verbosity", "0")
    connection = sqlite3.connect(data_dir / DATABASE)
    connection.execute(
        "INSERT INTO django_migrations (app, name, applied) "
        "VALUES ('workorders', '9999_of_the_future', '2030-01-01')"
    )
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (is_no_database, "The file is damaged: restore it from a backup"),
        (has_damaged_pages, "The file is damaged: restore it from a backup"),
        (is_of_another_program, "is the database of another program"),
        (is_newer, "used by a newer version of this product (it has 9999_of_the_future)"),
    ],
)
def test_a_database_that_cannot_be_used(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(tmp_path)
    assert words in start(tmp_path).splitlines()[-1]


def test_a_second_product_on_one_data_folder(tmp_path: Path) -> None:
    with locked(tmp_path):
        words = start(tmp_path)
    assert f"Another product runs on DATA_DIR {tmp_path} (process {os.getpid()})" in words
    assert not (tmp_path / "logs").exists(), "it has begun all the same"


def test_a_folder_that_cannot_be_written() -> None:
    words = start(Path("/proc"), SECRET_KEY="x" * 40)
    assert "cannot be" in words
    assert "/proc" in words
