"""How much room is left on a disk, beyond what the product needs to say that there is none."""

import shutil
from pathlib import Path

RESERVE_BYTES = 50_000_000
RESERVE_SHARE = 0.05
"""Of a small disk. With less left, a database can soon write nothing, not even a failure."""


def free_bytes(directory: Path) -> int:
    """May be negative. Raises ``OSError``."""
    usage = shutil.disk_usage(directory)
    return usage.free - min(RESERVE_BYTES, round(usage.total * RESERVE_SHARE))
