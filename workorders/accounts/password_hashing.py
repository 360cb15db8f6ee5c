"""Password hashing in a few threads of low priority, so that requests keep the processor."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher

MOST_HASHES = 2
"""Upper limit of simultaneous hashes in one process. A process never uses more threads than its
share of the cores."""
NICENESS = 5
"""Niceness of the hashing threads (``setpriority``): the scheduler gives them about a third of
the weight of other threads."""


class BackgroundPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's PBKDF2 hasher, run in background threads. The hashes are the same.

    A hash deliberately takes a core half a second or more. Anonymous users who send many
    passwords could otherwise keep a web process from answering any other request.
    """

    def encode(self, password: Any, salt: Any, iterations: int | None = None) -> str:
        return _threads().submit(super().encode, password, salt, iterations).result()


@cache
def _threads() -> ThreadPoolExecutor:
    """Create the threads on first use, since threads do not survive the fork of a process."""
    share_of_cores = (os.cpu_count() or 1) // settings.WEB_PROCESSES
    return ThreadPoolExecutor(
        max(1, min(MOST_HASHES, share_of_cores)), "hash", initializer=_lower_priority
    )


def _lower_priority() -> None:
    if sys.platform == "linux":  # Other systems set priorities of whole processes only.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
