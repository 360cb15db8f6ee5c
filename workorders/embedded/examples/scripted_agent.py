"""A scripted agent without intelligence: it makes the edits listed in ``agent-plan.toml``.

The script stands in for a real coding agent, so that a fresh installation has runs that really
fail and really succeed. The file ``agent-plan.toml`` is in the repository that the agent edits.
In each iteration the script takes one step of this plan:

    [[step]]
    say = "What an agent might report"
    file = "login.py"
    find = "text that is there"
    replace = "text to put in its place"

The script uses only the standard library. Like any agent, it reads the prompt from standard
input; from the second iteration on, feedback on the previous iteration follows the prompt.
"""

import argparse
import os
import sys
import time
import tomllib
from pathlib import Path

PAUSE = float(os.environ.get("EXAMPLE_AGENT_PAUSE", "0.3"))
"""Seconds to wait after each line, so that the log grows visibly."""
PLAN = "agent-plan.toml"


def say(text: str, pause: float = PAUSE) -> None:
    print(text, flush=True)
    time.sleep(pause)


def work_slowly(minutes: float) -> None:
    """Print a line of progress every two seconds, as an agent with a large task would do."""
    steps = round(minutes * 30)
    for step in range(1, steps + 1):
        say(f"[{step * 100 // steps:3d} %] reading part {step} of {steps}", pause=2)


def take_step(iteration: int) -> None:
    steps = tomllib.loads(Path(PLAN).read_text(encoding="utf-8"))["step"]
    step = steps[min(iteration, len(steps)) - 1]
    say(f"Plan: {step['say']}")
    file = Path(step["file"])
    content = file.read_text(encoding="utf-8")
    if step["find"] not in content:
        say(f"{file}: nothing left to change here")
        return
    say(f"Editing {file}")
    file.write_text(content.replace(step["find"], step["replace"], 1), encoding="utf-8")
    for line in step["find"].strip().splitlines():
        say(f"- {line}", pause=0)
    for line in step["replace"].strip().splitlines():
        say(f"+ {line}", pause=0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=0, help="how long to take")
    arguments = parser.parse_args()
    iteration = int(os.environ.get("ITERATION", "1"))
    prompt = sys.stdin.read()
    say(f"Reading the task ({len(prompt.splitlines())} lines)")
    feedback = Path(os.environ.get("FEEDBACK_FILE", os.devnull)).read_text(errors="replace")
    if feedback.strip():
        say(f"The last verification ended with: {feedback.strip().splitlines()[-1]}")
    work_slowly(arguments.minutes)
    take_step(iteration)
    say("Done")


if __name__ == "__main__":
    main()
