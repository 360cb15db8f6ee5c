"""Inserts rows into the database of a product. Runs in a process with that product's settings.

The random numbers are seeded: the same call makes the same statuses, prompts and lengths.
"""

import datetime as dt
import json
import random
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from bench.product_server import CSRF_TOKEN
from workorders.accounts.users import ensure_account
from workorders.embedded.models import FINAL, LogChunk, Run, Status, WorkOrder

SEED = 7
BATCH = 5000
PROMPTS = (
    "Fix the authentication bug in the login flow",
    "Make the discount test pass: half a cent must be rounded up",
    "Rewrite the monthly report so that it adds up every account while it reads",
    "Move the customer import to the new address format",
)
PARAGRAPHS, LONGEST_PROMPT = 500, 6
"""Number of paragraphs to choose from, and the most in one prompt (1,000 characters on average)."""
WORDS = " ".join(PROMPTS).split(" ")
WORK_ORDER_STATUSES = (Status.FAILED,) * 6 + (Status.SUCCEEDED,) * 3 + (Status.CANCELED,)


def print_result(function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Call the function and print its result as JSON, for ``ProductServer.rows``."""
    print(json.dumps(function(**arguments)))


def prepare() -> None:
    """Create the tables and one work order; the examples are loaded into empty databases only."""
    call_command("migrate", verbosity=0)
    WorkOrder.objects.bulk_create(_work_orders(0, 1))


def work_orders(count: int) -> int:
    """Add work orders, each with one run, until there are ``count``; returns their number."""
    already = WorkOrder.objects.count()
    for start in range(already, count, BATCH):
        made = WorkOrder.objects.bulk_create(_work_orders(start, min(BATCH, count - start)))
        Run.objects.bulk_create(_run(order, 1, status=order.status) for order in made)
    return max(already, count)


def work_order(runs: int, runnable: int = 1) -> list[str]:
    """Create ``runnable`` failed work orders, each with ``runs`` failed runs; returns their IDs."""
    made = [
        WorkOrder(
            prompt=PROMPTS[0],
            workspace_path=str(settings.DATA_DIR / "workspace"),
            profile_name="bench",
            status=Status.FAILED,
            run_count=runs,
        )
        for _ in range(runnable)
    ]
    WorkOrder.objects.bulk_create(made)
    every_run = [_run(order, number + 1) for order in made for number in range(runs)]
    Run.objects.bulk_create(every_run, batch_size=BATCH)
    return [order.pk for order in made]


def newest_run(work_order_id: str) -> str:
    """The ID of the work order's newest run."""
    newest: str = Run.objects.filter(work_order=work_order_id).latest("number").pk
    return newest


def log(work_order_id: str, size: int) -> str:
    """Replace the log of the newest run by one of ``size`` bytes; returns the run's ID."""
    run = Run.objects.filter(work_order=work_order_id).latest("number")
    run.log_chunks.all().delete()
    line = b"test_half_a_cent_is_rounded_up (test_prices.Discount) ... ok\n"
    part = (line * (LogChunk.MAX_BYTES // len(line) + 1))[: LogChunk.MAX_BYTES]
    LogChunk.objects.bulk_create(
        (
            LogChunk(run=run, offset=offset, data=part[: size - offset])
            for offset in range(0, size, LogChunk.MAX_BYTES)
        ),
        batch_size=100,
    )
    Run.objects.filter(pk=run.pk).update(log_size=size)
    return str(run.pk)


def sessions(count: int) -> list[str]:
    """Sign in ``count`` operators; returns the ``Cookie`` header of each."""
    return [_session(f"bench-{number}") for number in range(count)]


def _session(name: str) -> str:
    client = Client()
    client.force_login(ensure_account(name, can_trigger=True))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={CSRF_TOKEN}"


def _work_orders(start: int, count: int) -> Iterator[WorkOrder]:
    chance = random.Random(SEED + start)
    paragraphs = _paragraphs()
    began = timezone.now() - dt.timedelta(days=365)
    for number in range(start, start + count):
        yield WorkOrder(
            prompt="\n".join(
                [
                    f"{chance.choice(PROMPTS)} ({number})",
                    *chance.choices(paragraphs, k=chance.randint(0, LONGEST_PROMPT)),
                ]
            ),
            workspace_path=str(settings.DATA_DIR / "workspace"),
            profile_name="bench",
            status=chance.choice(WORK_ORDER_STATUSES),
            run_count=1,
            created_at=began + dt.timedelta(minutes=number),
        )


@cache
def _paragraphs() -> list[str]:
    chance = random.Random(SEED)
    return [" ".join(chance.choices(WORDS, k=chance.randint(20, 110))) for _ in range(PARAGRAPHS)]


def _run(order: WorkOrder, number: int, *, status: str = Status.FAILED) -> Run:
    queued_at = order.created_at + dt.timedelta(seconds=number)
    return Run(
        work_order=order,
        number=number,
        status=status if status in FINAL else Status.FAILED,
        queued_at=queued_at,
        started_at=queued_at,
        completed_at=queued_at + dt.timedelta(seconds=30),
        profile_name="bench",
        max_iterations=1,
        max_time=3600,
        iteration_count=1,
        error="Verification still failed after 1 iteration.",
    )
