"""The executor: runs that are executed in this process, with real commands."""

import os
import re
import threading
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.embedded.conftest import Api, Execute, MakeRun, SetProfile, eventually, log_of
from tests.support.embedded_workers import is_alive
from workorders.embedded.models import WorkOrder
from workorders.embedded.transitions import claim_next
from workorders.embedded.worker.context import Stop, WorkerContext
from workorders.embedded.worker.executor import execute
from workorders.embedded.worker.log import TAIL_BYTES


def test_run_succeeds_when_its_verification_passes(run: Execute, set_profile: SetProfile) -> None:
    set_profile(agent="echo working", verify="echo fine")
    ended = run()
    assert (ended.status, ended.work_order.status, ended.error) == ("succeeded", "succeeded", "")
    assert ended.started_at
    assert ended.completed_at
    iteration = ended.iterations.get()
    assert (iteration.status, iteration.agent_exit_code, iteration.verify_exit_code) == (
        "passed",
        0,
        0,
    )


def test_log_contains_every_step_and_its_output(run: Execute, set_profile: SetProfile) -> None:
    set_profile(agent="echo out; echo err >&2; printf unfinished", verify="echo checked")
    lines = log_of(run()).splitlines()
    assert lines[1:] == [
        "── Not isolated from this machine: ISOLATION is off ──",
        "── Iteration 1 of 3: agent ──",
        "out",
        "err",
        "unfinished",
        "── Iteration 1 of 3: verification ──",
        "checked",
        "── Run succeeded ──",
    ]


def test_agent_gets_the_prompt(run: Execute, set_profile: SetProfile) -> None:
    set_profile(agent='test "$(cat)" = "Fix the login" && cmp "$PROMPT_FILE" - <<E\nFix\nE\ntrue')
    assert run().status == "succeeded"


def test_output_of_a_failed_verification_is_passed_to_the_next_iteration(
    run: Execute, set_profile: SetProfile
) -> None:
    set_profile(
        agent='cat > input; cp "$FEEDBACK_FILE" feedback; cat input',
        verify='test "$ITERATION" = 2 || { echo "expected 5, got 4"; exit 3; }',
    )
    ended = run()
    assert ended.status == "succeeded"
    first, second = ended.iterations.order_by("number")
    assert (first.status, first.verify_exit_code) == ("failed", 3)
    assert first.verify_output == "expected 5, got 4\n"
    assert second.status == "passed"
    assert "Fix the login\n\nexpected 5, got 4\n" in log_of(ended)


def test_first_iteration_has_no_feedback(run: Execute, set_profile: SetProfile) -> None:
    set_profile(agent='test ! -s "$FEEDBACK_FILE"')
    assert run().status == "succeeded"


def test_iterations_share_one_copy_of_the_workspace(run: Execute, set_profile: SetProfile) -> None:
    set_profile(agent="echo x >> trace", verify='test "$(wc -l < trace)" -eq 3')
    assert run().iteration_count == 3


def test_run_fails_after_the_last_iteration(run: Execute, set_profile: SetProfile) -> None:
    set_profile(verify="false", max_iterations=2)
    ended = run()
    assert (ended.status, ended.work_order.status) == ("failed", "failed")
    assert ended.error == "Verification still failed after 2 iterations."
    assert ended.iteration_count == 2


def test_override_of_max_iterations_applies(run: Execute, set_profile: SetProfile) -> None:
    set_profile(verify='test "$ITERATION" = "$MAX_ITERATIONS"', max_iterations=2)
    assert run(max_iterations=4).iteration_count == 4


def test_failed_agent_is_not_verified(run: Execute, set_profile: SetProfile) -> None:
    set_profile(agent="exit 7", max_iterations=1)
    ended = run()
    assert ended.error == "The agent ended with exit code 7 in iteration 1."
    iteration = ended.iterations.get()
    assert (iteration.status, iteration.agent_exit_code, iteration.verify_exit_code) == (
        "failed",
        7,
        None,
    )


def test_run_fails_when_its_profile_was_removed(
    context: WorkerContext, work_order: WorkOrder, trigger: MakeRun, set_profile: SetProfile
) -> None:
    trigger(work_order, profile_name="careful")
    set_profile()
    claimed = claim_next(context.token)
    assert claimed
    execute(claimed, context)
    claimed.refresh_from_db()
    assert claimed.error == "Profile 'careful' does not exist any more."


def test_run_fails_at_its_time_limit(run: Execute, set_profile: SetProfile) -> None:
    set_profile(agent="echo begun; sleep 600", time_limit=1)
    ended = run()
    assert (ended.status, ended.error) == ("failed", "Time limit of 1 s reached.")
    assert "begun" in log_of(ended)
    assert ended.iterations.get().status == "failed"


def test_time_limit_ends_an_agent_that_ignores_sigterm(
    run: Execute, set_profile: SetProfile
) -> None:
    set_profile(agent="trap '' TERM; while :; do sleep 1; done", time_limit=1)
    assert run().error == "Time limit of 1 s reached."


def test_background_process_neither_delays_nor_outlives_the_run(
    run: Execute, set_profile: SetProfile, settings: Settings
) -> None:
    set_profile(agent="sleep 600 & echo $! > pid")
    ended = run()
    assert ended.status == "succeeded"
    process_id = int((settings.WORKSPACES_DIR / ended.pk / "pid").read_text())
    eventually(lambda: not is_alive(process_id))


@pytest.mark.parametrize("end", ["success", "time limit", "cancel", "subreaper killed"])
def test_escaping_descendants_are_killed(
    run: Execute, context: WorkerContext, set_profile: SetProfile, settings: Settings, end: str
) -> None:
    """Descendants that try to escape: by a new session, a parent that ends at once, an empty
    environment, ignored signals, or constant forking. When the subreaper is killed as well,
    descendants are recognized by their environment.
    """
    sleep = "echo $$ >> ../pids; exec sleep 600"
    ways = {
        f"setsid sh -c '{sleep}' &",
        f"(setsid setsid sh -c '{sleep}' &)",
        f"(trap '' TERM HUP; nohup setsid sh -c '{sleep}' >/dev/null 2>&1 &)",
        "setsid sh -c 'echo $$ >> ../pids; while :; do (exec sleep 600) & sleep 0.05; done' &",
    }
    if end != "subreaper killed":
        ways.add(f"env -i PATH=$PATH setsid sh -c '{sleep}' &")
    last = {"success": "", "subreaper killed": "kill -KILL $PPID; sleep 600"}.get(end, "sleep 600")
    agent = f"{'\n'.join(ways)}\nuntil test $(wc -l < ../pids) = {len(ways)}; do :; done"
    set_profile(
        agent=f"touch ../pids; {agent}; echo $$ > pid; {last}",
        time_limit=4 if end == "time limit" else 600,
        max_iterations=1,
    )
    if end == "cancel":
        stop_soon(context, Stop.CANCELED, settings.WORKSPACES_DIR)
    assert run().status == {"success": "succeeded", "cancel": "canceled"}.get(end, "failed")
    started = (settings.WORKSPACES_DIR / "pids").read_text().split()
    assert len(started) == len(ways)
    assert not [process_id for process_id in started if is_alive(int(process_id))]


def test_output_is_stored_unchanged(run: Execute, set_profile: SetProfile, api: Api) -> None:
    set_profile(agent=r"printf '\033[31mred\377\000<script>'", verify=r"printf 'a\000b\377'; false")
    ended = run(max_iterations=1)
    data = b"".join(bytes(chunk.data) for chunk in ended.log_chunks.order_by("offset"))
    assert b"\x1b[31mred\xff\x00<script>" in data
    assert ended.iterations.get().verify_output == "a\ufffdb\ufffd"
    assert "\x1b[31mred\ufffd\0<script>" in api.data(f"/runs/{ended.pk}/log")["text"]


def test_end_of_a_long_verification_is_kept(run: Execute, set_profile: SetProfile) -> None:
    set_profile(verify="seq 1 20000; false", max_iterations=1)
    output = run().iterations.get().verify_output
    assert len(output) == 8192
    assert output.endswith("19999\n20000\n")


def test_log_beyond_its_limit_keeps_the_end_of_each_step(
    run: Execute, set_profile: SetProfile, settings: Settings, api: Api
) -> None:
    """The chunks are contiguous, so that a reader at any offset misses nothing that is stored."""
    settings.RUN_LOG_LIMIT_BYTES = 200_000
    set_profile(agent="yes 日本 | head -n 500000; echo done", verify="echo checked")
    ended = run()
    assert ended.status == "succeeded"
    log = log_of(ended)
    assert len(log.encode()) == ended.log_size < 200_000 + TAIL_BYTES + 600
    assert "\ufffd" not in log
    assert re.search(
        "── Log limit of 200,000 bytes reached: only the end of this step is kept ──\n"
        "── [0-9,]+ bytes are left out here ──\n(日本\n){1,1200}done\n"
        "── Iteration 1 of 3: verification ──\n"
        "── Log limit .* is kept ──\nchecked\n"
        "── Run succeeded ──\n$",
        log,
    )
    chunks = ended.log_chunks.order_by("offset").values_list("offset", "data")
    ends = [offset + len(data) for offset, data in chunks]
    assert [offset for offset, _ in chunks] == [0, *ends[:-1]]


@pytest.mark.parametrize("limit", [1, 100, 5_000])
@pytest.mark.parametrize("command", ["yes | head -c 20000", "head -c 20000 /dev/zero", "seq 1500"])
def test_log_over_its_limit_contains_the_end_of_the_run(
    run: Execute, set_profile: SetProfile, settings: Settings, limit: int, command: str
) -> None:
    settings.RUN_LOG_LIMIT_BYTES = limit
    set_profile(agent=command, verify="echo checked; false", max_iterations=3)
    log = log_of(run())
    assert log.count("checked\n") == 3
    assert log.endswith("── Run failed: Verification still failed after 3 iterations. ──\n")
    assert len(log) < limit + 7 * (TAIL_BYTES + 500)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("exit 3", "ended with exit code 3 in"),
        ("no-such-command", "ended with exit code 127 (a command was not found) in"),
        ("./README", "ended with exit code 126 (a command could not be executed) in"),
        ("kill -KILL $$", "(SIGKILL: killed, often because memory ran out) in"),
        ("sh -c 'kill -SEGV $$'; exit $?", "ended with exit code 139 (SIGSEGV: a crash) in"),
    ],
)
def test_exit_codes_are_explained_in_words(
    run: Execute, set_profile: SetProfile, agent: str, words: str
) -> None:
    set_profile(agent=agent, max_iterations=1)
    assert words in run().error


def test_missing_verification_command_is_explained_in_words(
    run: Execute, set_profile: SetProfile
) -> None:
    set_profile(verify="no-such-command", max_iterations=1)
    assert run().error == (
        "Verification still failed after 1 iteration; "
        "at last it ended with exit code 127 (a command was not found)."
    )


def test_copy_error_names_a_file_whose_name_is_not_utf_8(
    run: Execute, workspace: Path, settings: Settings
) -> None:
    """The path of the copy is longer than the original path, here longer than the system allows."""
    settings.WORKSPACES_DIR = settings.DATA_DIR / ("w" * 200)
    odd_name = os.fsdecode(b"caf\xe9" + b"x" * 96)
    directory = workspace
    while len(os.fsencode(directory)) + 110 < os.pathconf("/", "PC_PATH_MAX"):
        directory /= odd_name
        directory.mkdir()
    ended = run()
    assert ended.status == "failed"
    assert ended.error.startswith("Workspace could not be copied: /")
    assert "caf\ufffdx" in ended.error
    assert ended.error in log_of(ended)


def test_commands_get_ids_and_iteration_in_variables(run: Execute, set_profile: SetProfile) -> None:
    set_profile(
        agent='echo "$WORK_ORDER_ID $RUN_ID $RUN_NUMBER $ITERATION of $MAX_ITERATIONS";'
        ' "$PYTHON" -c "print(6 * 7)"; ls "$EXAMPLES_DIR"'
    )
    ended = run()
    log = log_of(ended)
    assert f"{ended.work_order_id} {ended.pk} 1 1 of 3\n42\n" in log
    assert "scripted_agent.py" in log


@pytest.mark.parametrize(
    ("why", "status", "error"),
    [
        (Stop.CANCELED, "canceled", ""),
        (
            Stop.WORKER_STOPPED,
            "failed",
            "The worker was stopped while this run was in progress.",
        ),
    ],
)
def test_stopped_run_ends_with_the_reason(
    run: Execute,
    context: WorkerContext,
    set_profile: SetProfile,
    settings: Settings,
    *,
    why: Stop,
    status: str,
    error: str,
) -> None:
    set_profile(agent="echo $$ > pid; sleep 600")
    stop_soon(context, why, settings.WORKSPACES_DIR)
    ended = run()
    assert (ended.status, ended.error) == (status, error)
    assert ended.iterations.get().status == "failed"


def test_lost_lease_stops_the_agent_and_writes_nothing(
    run: Execute, context: WorkerContext, set_profile: SetProfile, settings: Settings
) -> None:
    set_profile(agent="echo $$ > pid; sleep 600")
    stop_soon(context, Stop.LEASE_LOST, settings.WORKSPACES_DIR)
    ended = run()
    assert (ended.status, ended.error, ended.completed_at) == ("running", "", None)
    assert context.run_id is None
    process_id = int((settings.WORKSPACES_DIR / ended.pk / "pid").read_text())
    assert not is_alive(process_id)


def stop_soon(context: WorkerContext, why: Stop, workspaces: Path) -> None:
    """Stop the run from another thread as soon as the agent has written its process ID."""

    def stop() -> None:
        eventually(lambda: any(file.read_text() for file in workspaces.glob("run-*/pid")))
        assert context.run_id
        context.ask_to_stop(context.run_id, why)

    threading.Thread(target=stop, daemon=True).start()
