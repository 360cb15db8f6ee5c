"""Executes one run: copies the workspace, then repeats iterations.

The run ends when an iteration passes or a limit is reached.

An iteration passes when first the agent and then the verification end with exit code 0. If the
agent ends with another exit code, the iteration fails without verification. The next iteration's
agent gets the verification's output, or the agent's failure, as feedback.
"""

import contextlib
import errno
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from workorders.embedded import transitions, workspace_roots
from workorders.embedded.models import Iteration, Run, Status
from workorders.embedded.profiles import Profile, ProfileError, load_profiles
from workorders.embedded.worker.context import Stop, WorkerContext
from workorders.embedded.worker.environment import (
    command_environment,
    missing_variables,
)
from workorders.embedded.worker.isolation import (
    IsolationError,
    confined,
    isolation_in_words,
    missing_paths,
    require_isolation,
)
from workorders.embedded.worker.log import LeaseLostError, RunLog, storable
from workorders.embedded.worker.process import Command, Interrupted, run_command
from workorders.embedded.worker.workspace import (
    WorkspaceError,
    barrier_environment,
    copy_workspace,
    input_directory,
    prune_workspaces,
    remove_tree,
)
from workorders.exit_codes import how_it_ended, meaning_of
from workorders.processes.database_outage import DATABASE_ERRORS, persist

logger = logging.getLogger(__name__)

TAIL_BYTES = 8_192
WORKER_STOPPED = "The worker was stopped while this run was in progress."
DATABASE_AWAY = (
    "The worker could not use its database for {seconds} s, longer than it may work unheard "
    "(RUN_LEASE_SECONDS), so it ended this run's commands. Trigger a new run to try again."
)
FREE_SOME = "Free some room, then trigger a new run to try again."
INTERNAL = "The run could not go on because of an internal error; the worker's log says more."


class RunFailed(Exception):  # noqa: N818 (an outcome)
    """The run ends as failed. The message is shown on the run's page."""


def execute(run: Run, context: WorkerContext, lease_ends: float = math.inf) -> None:
    """Execute a run that ``transitions.claim_next`` has just given to this worker.

    ``lease_ends`` is a time of ``time.monotonic()``. Failures of the run are stored as the run's
    outcome and never raised.

    Raises:
        DATABASE_ERRORS: the worker was asked to end while the database could not be used.
    """
    context.take(run.pk, lease_ends)
    logger.info("%s (%s) starts", run, run.pk)
    execution = _Execution(run, context)
    try:
        status = execution.perform()
        logger.info("%s (%s) has ended: %s", run, run.pk, status)
    except LeaseLostError:
        # Another process has ended this run. Its commands are dead, and nothing more is written.
        logger.warning("%s (%s) was taken from this worker", run, run.pk)
    except DATABASE_ERRORS:
        raise
    except Exception:
        logger.exception("%s (%s) failed", run, run.pk)
        execution.finish(Status.FAILED, INTERNAL)
    finally:
        context.release()
        with contextlib.suppress(OSError):  # a left-over directory does no harm
            remove_tree(input_directory(run.pk))
        with contextlib.suppress(DatabaseError, OSError):  # the end of the next run prunes as well
            prune_workspaces()


class _Execution:
    """The execution of one run by one worker."""

    def __init__(self, run: Run, context: WorkerContext) -> None:
        self.run = run
        self.context = context
        self.log = RunLog(run.pk, context, settings.RUN_LOG_LIMIT_BYTES)
        self.deadline = time.monotonic() + run.max_time
        self.feedback = b""

    def perform(self) -> Status:
        """Execute the run and store its outcome. Raises ``LeaseLostError``."""
        status, error = self._outcome()
        self.log.section(f"Run {status}: {error}" if error else f"Run {status}")
        if not self.finish(status, error):
            raise LeaseLostError
        return status

    def finish(self, status: Status, error: str) -> bool:
        """Store the run's outcome; False if the run no longer belongs to this worker.

        Writing is tried again while the database cannot be used, even after the end of the
        lease. That is safe, because the commands have ended and the write is conditional on the
        run still belonging to this worker.
        """

        def write() -> bool:
            self.log.store()
            return transitions.finish(self.run, self.context.token, status, error)

        return persist(write, may_go_on=lambda: not self.context.closing)

    def _outcome(self) -> tuple[Status, str]:
        try:
            self._build_and_iterate()
        except (RunFailed, WorkspaceError, ProfileError, IsolationError) as exc:
            return Status.FAILED, storable(str(exc))
        except OSError as exc:
            if exc.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            return Status.FAILED, "The disk of the worker's machine is full. " + FREE_SOME
        except Interrupted:
            return self._interruption()
        return Status.SUCCEEDED, ""

    def _interruption(self) -> tuple[Status, str]:
        match self.context.stop:
            case Stop.LEASE_LOST:
                raise LeaseLostError
            case Stop.LEASE_OVER:
                seconds = round(settings.RUN_LEASE_SECONDS)
                return Status.FAILED, DATABASE_AWAY.format(seconds=seconds)
            case Stop.CANCELED:
                return Status.CANCELED, ""
            case Stop.WORKER_STOPPED:
                return Status.FAILED, WORKER_STOPPED
            case None:
                return Status.FAILED, f"Time limit of {self.run.max_time} s reached."

    def _build_and_iterate(self) -> None:
        profile = load_profiles().get(self.run.profile_name)
        if profile is None:
            raise RunFailed(f"Profile {self.run.profile_name!r} does not exist any more.")
        require_isolation()
        source = Path(self.run.work_order.workspace_path)
        if not workspace_roots.is_allowed_here(source):
            raise RunFailed(
                f"The workspace {source} is not below {workspace_roots.allowed_in_words()}, "
                "where workspaces must be (WORKSPACE_ROOTS)."
            )
        self.log.section(f"Copying the workspace {source}")
        self.log.flush()
        copy = copy_workspace(source, self.run.pk, self._check)
        for note in copy.notes:
            self.log.section(note)
        self.log.section(isolation_in_words(profile))
        if missing := [*missing_variables(profile), *missing_paths(profile)]:
            self.log.section(f"Named by the profile, not there: {', '.join(missing)}")
        self._persist(lambda: self._update(status=Status.RUNNING))
        for number in range(1, self.run.max_iterations + 1):
            failure = self._iterate(number, profile, copy.path)
            if not failure:
                return
        raise RunFailed(failure)

    def _iterate(self, number: int, profile: Profile, workspace: Path) -> str:
        """Run one iteration. Returns why it failed, or ``""`` if it passed."""
        self._check()
        iteration = self._persist(lambda: self._begin_iteration(number))
        title = f"Iteration {number} of {self.run.max_iterations}"
        agent_exit, _ = self._command(f"{title}: agent", profile.agent, profile, workspace, number)
        iteration.agent_exit_code = agent_exit
        if agent_exit == 0:
            exit_code, output = self._command(
                f"{title}: verification", profile.verify, profile, workspace, number
            )
            iteration.verify_exit_code = exit_code
            iteration.verify_output = storable(output)
            self.feedback = output
            meaning = meaning_of(exit_code)
            last = f"; at last it {how_it_ended(exit_code)}" if meaning else ""
            failure = f"Verification still failed after {_times(number, 'iteration')}{last}."
        else:
            failure = f"The agent {how_it_ended(agent_exit)} in iteration {number}."
            self.feedback = failure.encode()
        passed = iteration.verify_exit_code == 0
        iteration.status = Iteration.Status.PASSED if passed else Iteration.Status.FAILED
        iteration.completed_at = timezone.now()
        self._persist(lambda: self._save(iteration))
        return "" if passed else failure

    def _begin_iteration(self, number: int) -> Iteration:
        with transaction.atomic():
            self._update(iteration_count=number)
            return Iteration.objects.get_or_create(run=self.run, number=number)[0]

    def _save(self, iteration: Iteration) -> None:
        with transaction.atomic():
            self._update()  # writes of iterations need the run to belong to this worker
            iteration.save()

    def _command(
        self, title: str, shell: str, profile: Profile, workspace: Path, iteration: int
    ) -> tuple[int, bytes]:
        """Run a command. Returns its exit code and the last ``TAIL_BYTES`` bytes of its output."""
        self.log.section(title)
        inputs = input_directory(self.run.pk)
        prompt = self.run.work_order.prompt.encode()
        (inputs / "prompt").write_bytes(prompt)
        (inputs / "feedback").write_bytes(self.feedback)
        (inputs / "stdin").write_bytes(b"\n\n".join(filter(None, (prompt, self.feedback))))
        tail = bytearray()

        def keep(data: bytes) -> None:
            self.log.write(data)
            tail.extend(data)
            del tail[:-TAIL_BYTES]

        exit_code = run_command(
            Command(
                arguments=confined(shell, profile, workspace, inputs),
                directory=workspace,
                environment={
                    **command_environment(
                        self.run,
                        profile,
                        iteration=iteration,
                        prompt_file=inputs / "prompt",
                        feedback_file=inputs / "feedback",
                    ),
                    **barrier_environment(),
                },
                input_file=inputs / "stdin",
            ),
            on_output=keep,
            on_tick=self.log.tick,
            must_stop=self._must_stop,
            has_grace=lambda: self.context.stop not in {Stop.LEASE_LOST, Stop.LEASE_OVER},
            lease=self.context.reporting_renewals,
        )
        self.log.flush()
        return exit_code, bytes(tail)

    def _must_stop(self) -> bool:
        return self.context.stop is not None or time.monotonic() >= self.deadline

    def _check(self) -> None:
        if self._must_stop():
            raise Interrupted

    def _persist[Result](self, write: Callable[[], Result]) -> Result:
        """Write, and try again while the database cannot be used.

        Raises ``Interrupted`` if the run must stop before the write has succeeded.
        """
        try:
            return persist(write, may_go_on=lambda: not self._must_stop())
        except DATABASE_ERRORS:
            raise Interrupted from None

    def _update(self, **values: object) -> None:
        """Update the run if it still belongs to this worker. Raises ``LeaseLostError`` if not.

        Without values this only checks that the run belongs to this worker.
        """
        held = Run.objects.held_by(self.run.pk, self.context.token)
        if not held.update(**(values or {"worker_token": self.context.token})):
            raise LeaseLostError


def _times(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
