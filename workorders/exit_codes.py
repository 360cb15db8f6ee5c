"""Explains the exit codes of commands in words."""

import signal

CANNOT_EXECUTE = 126
NOT_FOUND = 127
SIGNAL_BASE = 128
"""The exit code of a shell is 128 plus the number of the signal that ended its command.

POSIX, Shell Command Language, 2.8.2, asks for a code above 128.
"""

_SIGNALS = {
    signal.SIGKILL: "killed, often because memory ran out",
    signal.SIGTERM: "asked to end",
    signal.SIGINT: "interrupted",
    signal.SIGQUIT: "interrupted",
    signal.SIGSEGV: "a crash",
    signal.SIGBUS: "a crash",
    signal.SIGILL: "a crash",
    signal.SIGFPE: "a crash",
    signal.SIGABRT: "a crash",
    signal.SIGPIPE: "nobody read its output",
    signal.SIGXCPU: "its processor time was used up",
    signal.SIGXFSZ: "a file grew beyond its limit",
}


def meaning_of(exit_code: int) -> str:
    """Return what an exit code means, or ``""`` if the code has no common meaning.

    A negative code is the negated number of a signal, as in Python's ``subprocess``. Shells use
    126, 127 and codes above 128. Some programs use codes above 128 for something else (Git's 129
    means a wrong option), so only the signals in ``_SIGNALS`` are explained there.
    """
    if exit_code == CANNOT_EXECUTE:
        return "a command could not be executed"
    if exit_code == NOT_FOUND:
        return "a command was not found"
    number = -exit_code if exit_code < 0 else exit_code - SIGNAL_BASE
    for known, meaning in _SIGNALS.items():
        if known == number:
            return f"{known.name}: {meaning}"
    return f"ended by signal {number}" if exit_code < 0 else ""


def how_it_ended(exit_code: int) -> str:
    """Return a predicate such as "ended with exit code 127 (a command was not found)"."""
    meaning = meaning_of(exit_code)
    return f"ended with exit code {exit_code}" + (f" ({meaning})" if meaning else "")
