"""Keeps what a process was started with from the processes beside it.

``/proc/PID/environ`` shows the variables of a process to every other one of the same user, such
as an agent that runs without isolation: keys, passwords, tokens. As a program,
``python -m workorders.processes.concealment MODULE ARGUMENTS…``, it does so for another one.
"""

import ctypes
import os
import runpy
import sys
from pathlib import Path

PR_SET_DUMPABLE = 4
ENV_START, ENV_END = 50, 51
"""Of the fields in ``/proc/self/stat``, counted from 1 as in proc(5)."""


def conceal_environment() -> None:
    """Of this process; call it before there are threads. Children inherit variables as ever.

    The memory that the kernel shows is emptied, which holds against root as well. No other
    process of this user may look into this one any more, nor attach a debugger (PR_SET_DUMPABLE).
    """
    if sys.platform != "linux":
        return
    # The second field, a name in parentheses, may hold anything.
    fields = ["", "", "", *Path("/proc/self/stat").read_text().rpartition(")")[2].split()]
    start, end = int(fields[ENV_START]), int(fields[ENV_END])
    variables = dict(os.environb)
    for name in variables:
        os.unsetenv(name)
    for name, value in variables.items():
        os.putenv(name, value)  # into memory of its own
    ctypes.memset(start, 0, end - start)
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    conceal_environment()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
