"""The sandbox of a run's commands: bubblewrap, on machines that have it and allow it.

A command sees the system's programs, its copy of the workspace and what its profile opens. It may
write to the copy and to what the profile opens for writing. It does not see the product's data
directory, other copies, the user's home or other processes; it has a home, a ``/tmp`` and a
process table of its own. docs/security.md lists what the sandbox protects and what it does not.
"""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from workorders.embedded.profiles import EXAMPLES_DIR, Limits, Profile
from workorders.embedded.worker import limits

PROBE_SECONDS = 20
NAMESPACES = (
    *("--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
    *("--unshare-cgroup-try", "--die-with-parent", "--cap-drop", "ALL"),
)
SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt"),
    # Directories of other package managers: Nix, Guix, Snap, Homebrew.
    *("/nix", "/gnu/store", "/run/current-system", "/snap", "/home/linuxbrew/.linuxbrew"),
)
MEGABYTE = 1_000_000
IN_A_SANDBOX = Limits(memory_mb=None, processes=4096, open_files=16_384, file_mb=20_000)
"""The default limits in a sandbox, which a profile may change.

The default of ``memory_mb`` is computed: half of the machine's memory.
"""


class IsolationError(Exception):
    """Commands must be isolated, but cannot be. The message is shown on the run's page."""


def why_not_isolated() -> str:
    """Why commands on this machine are not isolated; ``""`` if they are isolated."""
    return "ISOLATION is off" if settings.ISOLATION == "OFF" else _why_not_possible()


def require_isolation() -> None:
    """Raise ``IsolationError`` if ISOLATION requires isolation and this machine has none."""
    if settings.ISOLATION == "REQUIRED" and (reason := why_not_isolated()):
        raise IsolationError(f"Isolation is required (ISOLATION), but {reason}.")


def isolation_in_words(profile: Profile) -> str:
    """A line for the run's log that says how the run is isolated."""
    if reason := why_not_isolated():
        return f"Not isolated from this machine: {reason}"
    network = "with" if profile.network else "without"
    return f"Isolated by bubblewrap, {network} network; of the home only what the profile opens"


def missing_paths(profile: Profile) -> list[str]:
    """The paths that ``readable`` and ``writable`` name and that do not exist."""
    return [
        str(path) for path in (*profile.readable, *profile.writable) if not _expanded(path).exists()
    ]


def confined(shell: str, profile: Profile, workspace: Path, inputs: Path) -> list[str]:
    """The command line that runs a shell command with as much isolation as this machine allows.

    ``inputs`` is the run's input directory beside the copy. In the sandbox the command sees only
    its files ``prompt`` and ``feedback``. The command's own home and ``/tmp`` are kept there too.

    Raises ``IsolationError`` if the profile opens a directory that holds the product's data.
    """
    isolated = not why_not_isolated()
    command = _limited(["/bin/sh", "-c", shell], profile.limits, isolated=isolated)
    if not isolated:
        return command
    return [_bubblewrap(), *_sandbox(profile, workspace, inputs), "--", *command]


def isolated_environment() -> dict[str, str]:
    """The environment variables that a command needs inside a sandbox; empty without one."""
    return {} if why_not_isolated() else {"TMPDIR": "/tmp", "HOME": str(_home())}  # noqa: S108


def _limited(command: Sequence[str], own: Limits, *, isolated: bool) -> list[str]:
    """The command, started within limits by ``limits.py``.

    Without a sandbox only the profile's own limits apply, and the number of processes is not
    limited, because the kernel would count all processes of the user.
    """
    base = IN_A_SANDBOX if isolated else Limits()
    memory = own.memory_mb or (_half_of_the_memory_mb() if isolated else 0)
    values = (
        memory * MEGABYTE,
        (own.processes or base.processes or 0) if isolated else 0,
        own.open_files or base.open_files or 0,
        (own.file_mb or base.file_mb or 0) * MEGABYTE,
    )
    if not any(values):
        return list(command)
    program = [sys.executable, "-S", "-E", "-I", limits.__file__]
    return [*program, *map(str, values), *command]


def _half_of_the_memory_mb() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1000, total // 2 // MEGABYTE)


def _sandbox(profile: Profile, workspace: Path, inputs: Path) -> Iterator[str]:
    """The arguments of bubblewrap.

    A later mount covers an earlier one. Mounts that hide something therefore come after the mounts
    that the profile opens.
    """
    home, temporary = inputs / "home", inputs / "tmp"
    for directory in (home, temporary):
        directory.mkdir(mode=0o700, exist_ok=True)
    yield from _base(network=profile.network)
    for place in ("/tmp", "/var/tmp"):  # noqa: S108
        yield from ("--bind", str(temporary), place)
    yield from ("--bind", str(home), str(_home()))
    for path in (*_programs(), *map(_expanded, profile.readable)):
        yield from ("--ro-bind-try", str(path), str(path))
    for path in map(_expanded, profile.writable):
        _refuse_to_open_around_the_products_own(path)
        yield from ("--bind-try", str(path), str(path))
    yield from _hidden_data()
    if _home().is_relative_to(settings.DATA_DIR):  # for example, in a container
        yield from ("--bind", str(home), str(_home()))
    yield from ("--bind", str(workspace), str(workspace))
    for name in ("prompt", "feedback"):
        yield from ("--ro-bind", str(inputs / name), str(inputs / name))
    yield from ("--remount-ro", "/", "--chdir", str(workspace))


def _base(*, network: bool) -> Iterator[str]:
    yield from NAMESPACES
    if not network:
        yield "--unshare-net"
    for path in SYSTEM:
        yield from ("--ro-bind-try", path, path)
    yield from _hidden_settings()
    names = Path("/etc/resolv.conf")  # this is often a link into /run
    if names.is_symlink() and names.exists():
        yield from ("--ro-bind", str(names.resolve()), str(names.resolve()))
    yield from ("--proc", "/proc", "--dev", "/dev")


def _refuse_to_open_around_the_products_own(path: Path) -> None:
    """Raise ``IsolationError`` if the product's data lies below a path opened for writing.

    A mount hides the data itself. But a command could rename a directory between the opened path
    and the data and create the data's path again, with content that the product would then use.
    """
    for place in (*_data_directories(), settings.PROFILES_FILE):
        if path.resolve() in place.resolve().parents:
            raise IsolationError(
                f"The profile must not open {path} for writing: {place} is in it, which is the "
                "product's own. Name the folders beside it."
            )


def _data_directories() -> list[Path]:
    former = [place for place in settings.FORMER_WORKSPACES_DIRS if place.exists()]
    return [settings.DATA_DIR, settings.WORKSPACES_DIR, *former]


def _hidden_data() -> Iterator[str]:
    """Arguments that hide the product's data."""
    for place in _data_directories():
        if place.exists():
            yield from ("--tmpfs", str(place))
    if settings.PROFILES_FILE.exists():  # the file may hold tokens of other profiles
        yield from ("--ro-bind", os.devnull, str(settings.PROFILES_FILE))


def _hidden_settings() -> Iterator[str]:
    """Arguments that hide files in ``/etc`` that this user may read but not everybody.

    Such files hold, for example, the keys of other services.
    """
    for directory, folders, files in os.walk("/etc"):
        for name in (*folders, *files):
            path = os.path.join(directory, name)  # noqa: PTH118 (faster, for thousands of files)
            try:
                mode = os.lstat(path).st_mode
            except OSError:
                continue
            if mode & stat.S_IROTH or stat.S_ISLNK(mode) or not os.access(path, os.R_OK):
                continue
            if stat.S_ISDIR(mode):
                folders.remove(name)
                yield from ("--tmpfs", path)
            else:
                yield from ("--ro-bind", os.devnull, path)


def _programs() -> Iterator[Path]:
    """This interpreter, the example agent, and the directories of ``PATH``."""
    yield from (Path(sys.prefix), Path(sys.base_prefix), Path(limits.__file__), EXAMPLES_DIR)
    for entry in dict.fromkeys(os.environ.get("PATH", "").split(os.pathsep)):
        if entry.startswith("/") and not _holds_more_than_programs(Path(entry)):
            yield Path(entry)


def _holds_more_than_programs(path: Path) -> bool:
    return any(place.is_relative_to(path) for place in (_home(), settings.DATA_DIR, Path("/proc")))


def _home() -> Path:
    home = Path(os.environ.get("HOME") or "/")
    # A user in a container may have no home. The sandbox's private /tmp is then used instead.
    return home if home.is_absolute() and home != Path("/") else Path("/tmp")  # noqa: S108


def _expanded(path: str) -> Path:
    return Path(path).expanduser()


def _bubblewrap() -> str:
    return shutil.which("bwrap") or "bwrap"


@lru_cache(maxsize=1)
def _why_not_possible() -> str:
    """Why bubblewrap cannot be used; ``""`` if it can.

    This is tried once per process, with all kinds of isolation that a run may need.
    """
    if sys.platform != "linux":
        return "bubblewrap, which does it, is for Linux"
    if shutil.which("bwrap") is None:
        return "bubblewrap (bwrap) is not installed"
    try:
        tried = subprocess.run(  # noqa: S603
            [_bubblewrap(), *_base(network=False), "--", "/bin/sh", "-c", ":"],
            capture_output=True,
            check=False,
            timeout=PROBE_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return f"bubblewrap cannot be used ({exc})"
    if tried.returncode:
        said = tried.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        return f"this machine does not let bubblewrap work ({said[-1]})"
    return ""
