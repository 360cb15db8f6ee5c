"""What an agent or verify command finds in its environment."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from workorders.embedded.models import Run
from workorders.embedded.profiles import EXAMPLES_DIR

WITHHELD = frozenset(
    {
        "SECRET_KEY",
        "RUNS_API_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "METRICS_TOKEN",
        "DJANGO_SETTINGS_MODULE",
    }
)
"""Of the worker's own environment: with these a command could act as the server."""


def command_environment(
    run: Run, *, iteration: int, prompt_file: Path, feedback_file: Path
) -> Mapping[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in WITHHELD}
    return inherited | {
        "PYTHONUNBUFFERED": "1",  # or the log would stand still until the command ends
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
