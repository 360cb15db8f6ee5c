"""Passwords are hashed by few threads, which leave the cores to whatever else needs them."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher

MOST_HASHES = 2
"""At the same time in one process; fewer where its share of the cores is smaller."""
NICENESS = 5
"""Of the hashing threads: a third of the weight that other threads have (``setpriority``)."""


class BackgroundPBKDF2PasswordHasher(PBKDF2PasswordHasher):
    """Django's hasher, and its hashes; only who computes them differs.

    A hash costs a core half a second or more, on purpose. A web process that hashed whatever
    strangers send would have no time for anything else.
    """

    def encode(self, password: Any, salt: Any, iterations: int | None = None) -> str:
        return _threads().submit(super().encode, password, salt, iterations).result()


@cache
def _threads() -> ThreadPoolExecutor:
    """Made by the process that hashes, not by one that forks it."""
    share_of_cores = (os.cpu_count() or 1) // settings.WEB_PROCESSES
    return ThreadPoolExecutor(
        max(1, min(MOST_HASHES, share_of_cores)), "hash", initializer=_lower_priority
    )


def _lower_priority() -> None:
    if sys.platform == "linux":  # elsewhere the priority is the whole process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
