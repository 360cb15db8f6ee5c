"""The Chromium that the browser tests use, and its launch options."""

import os
import shutil
from pathlib import Path
from typing import TypedDict

from playwright.sync_api import Playwright

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
"""Best first: the shell is Chromium without what a window needs, and opens a page with a quarter
of the work."""
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
    executable_path: str | None
    args: list[str]


def has_own(playwright: Playwright) -> bool:
    """Whether Playwright's own browser is installed; its headless shell comes with it."""
    return Path(playwright.chromium.executable_path).exists()


def of_the_system() -> str | None:
    """The path of a browser that the system has."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch_options(playwright: Playwright) -> LaunchOptions:
    """Keyword arguments for ``playwright.chromium.launch()``.

    Raises ``RuntimeError`` when there is no browser.
    """
    path = None if has_own(playwright) else of_the_system()  # None: Playwright chooses
    if path is None and not has_own(playwright):
        raise RuntimeError(
            "There is no Chromium; python -m tests.support.ensure_browser installs one."
        )
    # Chromium's sandbox refuses to work for root, which containers run as.
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": path, "args": [*sandbox, *QUIET]}
