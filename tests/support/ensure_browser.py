"""Install a browser for the tests if there is none: ``python -m tests.support.ensure_browser``.

Playwright's own build is tried first, since it fits the library. Where its download cannot be
reached, the package of the system is installed.
"""

import os
import shutil
import subprocess
import sys

from playwright.sync_api import sync_playwright

from tests.support import chromium

DOWNLOAD_SECONDS = 600
SHELL = "chromium-headless-shell"
"""A package of Debian."""


def is_installed() -> bool:
    with sync_playwright() as playwright:
        return chromium.has_own(playwright) or chromium.of_the_system() is not None


def succeeds(*command: str) -> bool:
    print("No Chromium yet:", " ".join(command), flush=True)
    try:
        subprocess.run(
            command,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            timeout=DOWNLOAD_SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True


def install() -> bool:
    is_root = os.geteuid() == 0
    # The libraries a browser needs are system packages, which only root may install.
    with_libraries = ["--with-deps"] if is_root else []
    if succeeds(sys.executable, "-m", "playwright", "install", *with_libraries, "chromium"):
        return True
    return (
        is_root
        and shutil.which("apt-get") is not None
        and succeeds("apt-get", "update", "-qq")
        and succeeds("apt-get", "install", "-y", "-qq", "--no-install-recommends", SHELL)
    )


if __name__ == "__main__":
    if not (is_installed() or install()):
        sys.exit(
            "The browser tests need Chromium, which neither Playwright nor apt-get could install: "
            "install chromium or google-chrome, or leave these tests out with "
            "make test ARGS='--ignore tests/browser'."
        )
