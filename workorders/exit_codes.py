"""What a command's exit code means, in words."""

import signal

CANNOT_EXECUTE = 126
NOT_FOUND = 127
SIGNAL_BASE = 128
"""A shell adds the number of the signal that ended its command to this (POSIX, 2.8.2)."""

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
    """``""`` for a code that has no meaning of its own.

    Negative codes are signals (as Python's ``subprocess`` has them). 126, 127 and those above
    128 are a shell's; of the latter only signals that end programs by themselves are told, as
    some programs end with such codes of their own (Git's 129 is a wrong option).
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
    """Goes on a sentence: "ended with exit code 127 (a command was not found)"."""
    meaning = meaning_of(exit_code)
    return f"ended with exit code {exit_code}" + (f" ({meaning})" if meaning else "")
