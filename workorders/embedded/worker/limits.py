"""Starts a command within limits: ``limits.py MEMORY PROCESSES OPEN_FILES FILE_SIZE COMMAND…``.

This file is a program that runs inside the sandbox, because only there the number of processes
counts only the processes of this run. MEMORY and FILE_SIZE are in bytes; 0 leaves a limit as it
is. MEMORY limits what one process may allocate (RLIMIT_DATA). Limiting the address space instead
would stop programs that reserve much memory and use little, such as Node, Java and Go.
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
    """Set the soft and the hard limit, but never above the present hard limit."""
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # macOS accepts fewer values
        resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    for limit, value in zip(LIMITS, map(int, sys.argv[1:5]), strict=True):
        if value:
            lower(limit, value)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no copy of the memory
    os.execv(sys.argv[5], sys.argv[5:])  # noqa: S606
