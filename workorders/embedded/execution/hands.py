"""What a worker process has in hand, shared by its executing thread and its heartbeat."""

import enum
import secrets
import threading


class Stop(enum.Enum):
    """Why the run in hand has to end before it is done."""

    CANCELED = "canceled"
    WORKER_STOPPED = "worker stopped"
    LEASE_LOST = "lease lost"


class Hands:
    """One worker's identity, the run it executes and whether that must stop.

    The executing thread takes and releases; the heartbeat and the signal
    handler ask it to stop. The token makes every write of this worker
    conditional, so a new one is made for every worker process.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.token = secrets.token_urlsafe(16)
        self.closing = False
        """Set when the worker is to end: it takes no further run."""
        self.run_id: str | None = None
        self._stop: Stop | None = None
        self._lock = threading.RLock()  # the signal handler interrupts its own thread

    @property
    def stop(self) -> Stop | None:
        return self._stop

    def take(self, run_id: str) -> None:
        with self._lock:
            self.run_id, self._stop = run_id, None

    def release(self) -> None:
        with self._lock:
            self.run_id, self._stop = None, None

    def ask_to_stop(self, run_id: str, why: Stop) -> None:
        """Concerns only that run: by now another one may be in hand. A lost lease outweighs all."""
        with self._lock:
            if self.run_id == run_id and (self._stop is None or why is Stop.LEASE_LOST):
                self._stop = why


_hands: Hands | None = None


def this_workers_hands() -> Hands | None:
    """None in a process that is no worker, such as the web server."""
    return _hands


def become_a_worker(hands: Hands) -> None:
    global _hands  # noqa: PLW0603 (a task cannot be handed the process it runs in)
    _hands = hands
