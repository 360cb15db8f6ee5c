"""Calls to the runs API that do not need each other's answers, at the same time."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import cache

from django import db
from django.conf import settings


def run_both[A, B](first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Both answers, in the time of the longer one; raises what the first raises.

    The embedded API is no other machine: its calls are work of this thread, and of the
    database connection that a page's transaction may be in.
    """
    if not settings.RUNS_API_URL:
        return first(), second()
    beside: Future[B] = _threads().submit(copy_context().run, _in_own_thread, second)
    try:
        return first(), beside.result()
    finally:
        beside.cancel()


def _in_own_thread[B](call: Callable[[], B]) -> B:
    """With a database connection that still lives: no request begins or ends here."""
    db.close_old_connections()
    return call()


@cache
def _threads() -> ThreadPoolExecutor:
    """One beside each thread that makes a page; RUNS_API_MAX_CALLS bounds all calls together."""
    return ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="runs-api")
