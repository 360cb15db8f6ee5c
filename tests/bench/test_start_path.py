"""``python -m bench.start_path``: the files that a start passes."""

import subprocess
import sys


def test_files_of_a_start_are_printed() -> None:
    command = [sys.executable, "-m", "bench.start_path"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    *files, _, figures = printed.splitlines()
    assert files[0] == "trigger_run/views.py"
    assert {"trigger_run/services.py", "runs_api/client.py"} < set(files)
    # A plain start has nothing to find out.
    assert not {"trigger_run/reconciliation.py", "trigger_run/run_search.py"} & set(files)
    assert figures.startswith(f"{len(files)} files, ")
