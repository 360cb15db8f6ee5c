"""The log file of a process whose disk is full."""

import errno
import io
import logging
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

import pytest

from workorders.processes.supervisor import _output_logger


class FullDisk(io.StringIO):
    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def output(tmp_path: Path) -> Iterator[logging.Logger]:
    output = _output_logger("full", tmp_path / "log", named_lines=True)
    yield output
    for handler in output.handlers:
        handler.close()
    output.handlers = []


def test_a_full_disk_is_told_of_once(
    output: logging.Logger, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    file = next(each for each in output.handlers if isinstance(each, RotatingFileHandler))
    file.close()
    file.stream = FullDisk()  # type: ignore[assignment]
    for number in range(10):
        output.info("line %d", number)
    assert caplog.text.count("cannot be written (No space left on device)") == 1
    assert "Traceback" not in capsys.readouterr().err
