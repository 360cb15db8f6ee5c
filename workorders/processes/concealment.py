"""Hides the environment variables of a process from other processes of the same user.

On Linux ``/proc/PID/environ`` shows keys, passwords and tokens to every process of the same
user, for example to an agent that runs without isolation. The module is a program too:
``python -m workorders.processes.concealment MODULE ARGUMENTS…`` hides the variables of its own
process, then runs the module MODULE in it.
"""

import ctypes
import os
import runpy
import sys
from pathlib import Path

PR_SET_DUMPABLE = 4
ENV_START, ENV_END = 50, 51
"""Numbers of fields in ``/proc/self/stat``, counted from 1 as in proc(5)."""


def conceal_environment() -> None:
    """Hide the environment variables of this process; without effect on other systems than Linux.

    Call the function before the process has threads. ``os.environ`` and children keep the
    variables. The memory that the kernel shows in ``/proc`` is overwritten, so that not even root
    reads it. PR_SET_DUMPABLE keeps other processes of this user from reading the memory of this
    process or attaching a debugger.
    """
    if sys.platform != "linux":
        return
    # The second field is the program's name in parentheses, which may contain spaces and ")".
    fields = ["", "", "", *Path("/proc/self/stat").read_text().rpartition(")")[2].split()]
    start, end = int(fields[ENV_START]), int(fields[ENV_END])
    variables = dict(os.environb)
    for name in variables:
        os.unsetenv(name)
    for name, value in variables.items():
        os.putenv(name, value)  # in newly allocated memory
    ctypes.memset(start, 0, end - start)
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


if __name__ == "__main__":
    conceal_environment()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
