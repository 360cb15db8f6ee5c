"""Free disk space, less a reserve that the database needs to record failures."""

import shutil
from pathlib import Path

RESERVE_BYTES = 50_000_000
RESERVE_SHARE = 0.05
"""The reserve is the smaller of ``RESERVE_BYTES`` and this share of the disk."""


def free_bytes(directory: Path) -> int:
    """Free bytes on the directory's disk, less the reserve; negative inside the reserve.

    Raises:
        OSError: the directory does not exist or cannot be read.
    """
    usage = shutil.disk_usage(directory)
    return usage.free - min(RESERVE_BYTES, round(usage.total * RESERVE_SHARE))
