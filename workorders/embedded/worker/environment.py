"""The environment variables of agent and verify commands: an allow list.

A worker inherits the environment of its launcher: the product's settings, tokens for cloud
services, variables of a surrounding ``make``. A command gets none of these by chance. It gets
only what every program needs, what its profile names, and what describes its run.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from workorders.embedded.models import Run
from workorders.embedded.profiles import EXAMPLES_DIR, Profile
from workorders.embedded.worker.isolation import isolated_environment

INHERITED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL"),
        *("LANG", "LANGUAGE", "TZ", "TERM", "TMPDIR"),
        # In a network with a proxy, programs reach nothing without these variables. A proxy that
        # decrypts HTTPS has a certificate authority of its own.
        *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
    }
)
"""Variables that every command inherits from the worker, besides those that begin with ``LC_``."""


def command_environment(
    run: Run, profile: Profile, *, iteration: int, prompt_file: Path, feedback_file: Path
) -> Mapping[str, str]:
    """The environment of a command, by variable name.

    A variable that occurs in several parts has the value of the last part.
    """
    return {
        "PYTHONUNBUFFERED": "1",  # otherwise the log would stand still until the command ends
        **dict(_inherited(profile)),
        **profile.env,
        **isolated_environment(),
        "WORK_ORDER_ID": run.work_order_id,
        "RUN_ID": run.pk,
        "RUN_NUMBER": str(run.number),
        "ITERATION": str(iteration),
        "MAX_ITERATIONS": str(run.max_iterations),
        "PROMPT_FILE": str(prompt_file),
        "FEEDBACK_FILE": str(feedback_file),
        "PYTHON": sys.executable,
        "EXAMPLES_DIR": str(EXAMPLES_DIR),
    }


def missing_variables(profile: Profile) -> list[str]:
    """The variables that ``pass_env`` names and that this worker does not have."""
    return [name for name in profile.pass_env if name not in os.environ]


def _inherited(profile: Profile) -> Iterator[tuple[str, str]]:
    for name, value in os.environ.items():
        if name in INHERITED or name.startswith("LC_") or name in profile.pass_env:
            yield name, value
