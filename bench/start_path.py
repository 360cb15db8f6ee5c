"""``python -m bench.start_path``: how many files of the product one start of a run passes.

One form that starts a run is sent in process, to a new SQLite database and the embedded runs
API. Every Python call is traced from the view to its return. The report lists the distinct files
of ``workorders/`` in the order in which they are entered, and counts the moves: the calls of a
function by a function of another file of ``workorders/``, directly or through a library.
``workorders/embedded/``, what it calls, middleware and settings do not count. A second count
leaves out ``workorders/observability/``: what times and counts a start decides nothing about it.
"""

import html
import inspect
import os
import re
import sys
import tempfile
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = f"{ROOT / 'workorders'}{os.sep}"
OBSERVABILITY = "observability/"
EMBEDDED = f"{ROOT / 'workorders' / 'embedded'}{os.sep}"
TRIGGER = "/work-orders/{}/trigger/"
HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*name="(\w+)"[^>]*value="([^"]*)"')


@dataclass
class StartPath:
    """A profile function (``sys.setprofile``) that follows the calls of one view."""

    view: CodeType
    files: dict[str, None] = field(default_factory=dict)
    """Paths below ``workorders/``, in the order of their first call."""
    moves: int = 0
    observing_moves: int = 0
    """Those of the moves that lead into ``workorders/observability/`` or out of it."""

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        if event != "call" or not file.startswith(PRODUCT) or file.startswith(EMBEDDED):
            return
        callers = self._callers(frame)
        if callers is None:
            return
        name = file.removeprefix(PRODUCT)
        self.files.setdefault(name)
        if callers and callers[0] != file:
            self.moves += 1
            ends = (name, callers[0].removeprefix(PRODUCT))
            self.observing_moves += any(end.startswith(OBSERVABILITY) for end in ends)

    def _callers(self, frame: FrameType) -> list[str] | None:
        """The product's files on the stack, innermost first; ``None``: the call does not count.

        A thread that the view starts has a stack of its own, on which the view is missing.
        """
        callers: list[str] = []
        current: FrameType | None = frame
        while current and current.f_code is not self.view:
            current = current.f_back
            file = current.f_code.co_filename if current else ""
            if file.startswith(EMBEDDED):
                return None
            if file.startswith(PRODUCT):
                callers.append(file)
        is_main = threading.current_thread() is threading.main_thread()
        return None if is_main and current is None else callers


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="start-path-") as directory:
        _set_up_product(Path(directory))
        path = _traced_start()
    print("\n".join(path.files))
    others = [name for name in path.files if not name.startswith(OBSERVABILITY)]
    print(
        f"\n{len(path.files)} files, {path.moves} moves between files; without observability "
        f"{len(others)} files, {path.moves - path.observing_moves} moves"
    )


def _set_up_product(data_dir: Path) -> None:
    """Django with a data directory and a database of its own; no variable of the caller's."""
    for name in ("DATABASE_URL", "REDIS_URL", "RUNS_API_URL", "ALLOWED_HOSTS"):
        os.environ.pop(name, None)
    os.environ |= {
        "DATA_DIR": str(data_dir),
        "DEBUG": "true",  # static files need no manifest
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "dashboard.settings",
    }
    sys.path.insert(0, str(ROOT))

    import django  # noqa: PLC0415 (it reads the environment)
    from django.core.management import call_command  # noqa: PLC0415

    django.setup()
    call_command("migrate", verbosity=0)


def _traced_start() -> StartPath:
    """The path of a second start: the first one fills caches and imports what is imported late."""
    from django.db import connections  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.urls import resolve  # noqa: PLC0415

    from workorders.accounts.users import ensure_account  # noqa: PLC0415
    from workorders.embedded.models import Worker  # noqa: PLC0415

    for name in ("first", "second"):  # a free worker each, so that neither run has to queue
        Worker.objects.create(token=name, name=name)
    browser = Client(SERVER_NAME="localhost", headers={"HX-Request": "true"})
    browser.force_login(ensure_account("bench", can_trigger=True))
    _start(browser)
    path = StartPath(inspect.unwrap(resolve(TRIGGER.format("any")).func).__code__)
    _start(browser, path)
    connections.close_all()
    return path


def _start(browser: Any, trace: StartPath | None = None) -> None:
    """Open the dialog of a new work order and send its form, traced where ``trace`` is given."""
    from workorders.embedded.models import WorkOrder  # noqa: PLC0415

    order = WorkOrder.objects.create(prompt="Anything", workspace_path=tempfile.gettempdir())
    address = TRIGGER.format(order.pk)
    dialog = browser.get(address).content.decode()
    fields = {name: html.unescape(value) for name, value in HIDDEN.findall(dialog)}
    uuid.UUID(fields["key"])
    threading.setprofile(trace)
    sys.setprofile(trace)
    try:
        response = browser.post(address, fields)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert order.runs.count() == 1, f"no run was started: {response.status_code}"


if __name__ == "__main__":
    main()
