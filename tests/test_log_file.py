"""The log file of a process whose disk is full."""

import logging
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

import pytest

from workorders.serving.processes import _output_logger


@pytest.fixture
def output(tmp_path: Path) -> Iterator[logging.Logger]:
    output = _output_logger("full", tmp_path / "log", named_lines=True)
    file = next(each for each in output.handlers if isinstance(each, RotatingFileHandler))
    file.setStream(Path("/dev/full").open("a"))
    file.shouldRollover = lambda _: False  # type: ignore[method-assign]
    yield output
    file.setStream(Path("/dev/null").open("a"))
    for handler in output.handlers:
        handler.close()
    output.handlers = []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has such a file")
def test_a_full_disk_is_told_of_once(
    output: logging.Logger, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(10):
        output.info("line %d", number)
    assert caplog.text.count("cannot be written (No space left on device)") == 1
    assert "Traceback" not in capsys.readouterr().err
