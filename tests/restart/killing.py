"""Products that are killed, and what is left of them."""

import signal
from os import kill

import httpx

from tests.support.product import Product, wait_until


def kill_web_workers(product: Product) -> None:
    """The processes that answer requests; their parent starts others."""
    commands = product.processes().items()  # parents come first
    _, *workers = (pid for pid, command in commands if "granian" in command.split())
    for pid in workers:
        kill(pid, signal.SIGKILL)


def kill_and_start(product: Product) -> None:
    """Everything at once, as when a machine loses power."""
    product.stop(signal.SIGKILL)
    product.start()


def wait_for_answer(product: Product) -> None:
    def answers() -> bool:
        try:
            return httpx.get(f"{product.url}/sign-in/", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    wait_until(answers)
