"""Starts a command within limits: ``limits.py MEMORY PROCESSES OPEN_FILES FILE_SIZE COMMAND…``.

A program of its own, started inside of the sandbox: only there the number of processes counts
this run's alone. Sizes are in bytes; 0 leaves a limit as it is. Memory is what one process
may allocate (RLIMIT_DATA): a limit of address space would stop programs that reserve much and use
little, as Node, Java and Go do.
"""

import contextlib
import os
import resource
import sys

LIMITS = (
    resource.RLIMIT_DATA,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_FSIZE,
)


def lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS knows fewer values
        resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    for limit, value in zip(LIMITS, map(int, sys.argv[1:5]), strict=True):
        if value:
            lower(limit, value)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no copy of the memory
    os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606
