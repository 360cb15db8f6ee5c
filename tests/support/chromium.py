"""The Chromium that the browser tests use, and its launch options."""

import os
import shutil
from pathlib import Path
from typing import TypedDict

from playwright.sync_api import Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Switches that stop the browser's own network traffic."""


class LaunchOptions(TypedDict):
    executable_path: str
    args: list[str]


def executable(playwright: Playwright) -> str | None:
    """Playwright's own browser when it is installed, else the system's, else ``None``."""
    own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch_options(playwright: Playwright) -> LaunchOptions:
    """Keyword arguments for ``playwright.chromium.launch()``.

    Raises ``RuntimeError`` when there is no browser.
    """
    path = executable(playwright)
    if path is None:
        raise RuntimeError(
            "There is no Chromium; python -m tests.support.ensure_browser installs one."
        )
    # Chromium's sandbox refuses to work for root, which containers run as.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": path, "args": [*sandbox, *QUIET]}
