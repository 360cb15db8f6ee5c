"""Makes two independent calls to the runs API at the same time."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import cache

from django import db
from django.conf import settings


def run_both[A, B](first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Call both functions and return both results, in the time of the slower call.

    Raises the exception of ``first``, or else the exception of ``second``.

    The embedded API is called one call after the other, in this thread: it does its work in
    this process, on the thread's database connection, where a transaction may be open.
    """
    if not settings.RUNS_API_URL:
        return first(), second()
    future: Future[B] = _threads().submit(copy_context().run, _in_own_thread, second)
    try:
        return first(), future.result()
    finally:
        future.cancel()


def _in_own_thread[B](call: Callable[[], B]) -> B:
    """Make the call with a usable database connection.

    Django closes expired connections when a request begins or ends. That never happens in
    this thread, so the connections are closed here.
    """
    db.close_old_connections()
    return call()


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the pool, which has one thread for each thread that renders pages.

    The number of simultaneous calls is bounded elsewhere (``RUNS_API_MAX_CALLS``).
    """
    return ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="runs-api")
