"""Only the owner may read the data directory: it holds sessions, keys, prompts and logs."""

import os
import stat
from itertools import chain
from pathlib import Path

PRIVATE_DIRECTORY, PRIVATE_FILE = 0o700, 0o600
DIRECTORIES = ("logs",)
FILES = ("*.sqlite3*", "secret-key", "runs-api-key", "logs/*")


def keep_private(data_dir: Path) -> None:
    """Remove the permissions of group and others, which a backup or an older version may have set.

    Files of other users are left alone, and so are directories with a sticky bit, which are
    shared as ``/tmp`` is.
    """
    _restrict(data_dir, PRIVATE_DIRECTORY)
    for name in DIRECTORIES:
        _restrict(data_dir / name, PRIVATE_DIRECTORY)
    for path in chain.from_iterable(data_dir.glob(pattern) for pattern in FILES):
        _restrict(path, PRIVATE_FILE)


def _restrict(path: Path, mode: int) -> None:
    try:
        found = path.lstat()
        kind = stat.S_ISDIR if mode == PRIVATE_DIRECTORY else stat.S_ISREG
        others = stat.S_IMODE(found.st_mode) & 0o077
        is_ours = found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX
        if kind(found.st_mode) and others and is_ours:
            path.chmod(stat.S_IMODE(found.st_mode) & ~0o077)
    except OSError:  # the file is gone, or its file system has no modes
        return
