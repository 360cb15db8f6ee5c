"""How much is measured: ``FULL`` for reliable figures, ``QUICK`` to see that all parts work."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers and durations (in seconds) of everything that is measured."""

    samples: int
    """How often a browser repeats everything."""
    connections: tuple[int, ...]
    load_seconds: int
    """Duration for each page and each number of connections."""
    open_pages: tuple[int, ...]
    live_warm_up_seconds: int
    live_seconds: int
    work_orders: tuple[int, ...]
    runs: tuple[int, ...]
    """Numbers of runs of one work order."""
    log_bytes: tuple[int, ...]
    page_seconds: int
    """Duration for each page and each size of the database."""


FULL = Scale(
    samples=30,
    connections=(1, 16, 64),
    load_seconds=4,
    open_pages=(100, 500, 1000, 2000),
    live_warm_up_seconds=5,
    live_seconds=12,
    work_orders=(10, 1000, 100_000),
    runs=(1, 100, 10_000),
    log_bytes=(1000, 1_000_000, 100_000_000),
    page_seconds=2,
)
QUICK = Scale(
    samples=5,
    connections=(1, 16),
    load_seconds=1,
    open_pages=(50,),
    live_warm_up_seconds=2,
    live_seconds=5,
    work_orders=(10, 1000),
    runs=(1, 100),
    log_bytes=(1000, 1_000_000),
    page_seconds=1,
)
