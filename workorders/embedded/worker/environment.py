"""What an agent or verify command finds in its environment: an allow list, never the worker's own.

A worker's environment holds what its launcher had: the product's settings, tokens of the
host's clouds, variables of a ``make`` that runs around it. A command gets none of it by
chance, only what every program needs, what its profile names and what is told about its run.
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
        # Without these nothing is reached from a network that has a proxy; one that opens
        # HTTPS has a certificate authority of its own.
        *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
    }
)
"""Of the worker's own environment, with every variable whose name begins with ``LC_``."""


def command_environment(
    run: Run, profile: Profile, *, iteration: int, prompt_file: Path, feedback_file: Path
) -> Mapping[str, str]:
    """A name that is in several of the parts has the value of the last one."""
    return {
        "PYTHONUNBUFFERED": "1",  # or the log would stand still until the command ends
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
    """What ``pass_env`` names and this worker does not have."""
    return [name for name in profile.pass_env if name not in os.environ]


def _inherited(profile: Profile) -> Iterator[tuple[str, str]]:
    for name, value in os.environ.items():
        if name in INHERITED or name.startswith("LC_") or name in profile.pass_env:
            yield name, value
