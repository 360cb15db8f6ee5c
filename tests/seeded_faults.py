"""Seeds the faults of ``seeded_faults.toml`` one at a time, and shows which ones tests notice.

    python -m tests.seeded_faults [WORD ...]

Only faults whose file or place contains one of the words are seeded. The faults go into a copy of
the repository. The exit status is 1 when a fault was not noticed, or is out of date.
"""

import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = Path(__file__).with_suffix(".toml")
WITHOUT = ("cacheprovider", "xdist")
OPTIONS = ("-x", "-q", "--nomigrations", *(f"-pno:{name}" for name in WITHOUT))
"""Of pytest: half of the time of a row went into migrations and plugins that no row needs."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    ``as_is`` is a text that occurs once in ``file``, and ``seeded`` what takes its place.
    ``tests`` are the arguments of pytest that must notice the fault; a fault that needs
    PostgreSQL has ``postgres``.
    """

    file: str
    as_is: str
    seeded: str = ""
    tests: tuple[str, ...]
    postgres: bool = False

    @property
    def name(self) -> str:
        line = next(iter(self.as_is.strip().splitlines()))
        return f"{self.file}: {line.strip()[:90]}"

    def is_noticed(self, copy: Path) -> bool | None:
        """Whether a test fails; ``None``: the text is not in the file, or the tests did not run."""
        file = copy / self.file
        source = file.read_text()
        if source.count(self.as_is) != 1:
            return None
        file.write_text(source.replace(self.as_is, self.seeded))
        try:
            # 0: all tests have passed, 1: a test has failed, others: no test has run.
            run = subprocess.run(self._command(), cwd=copy, capture_output=True, check=False)
        finally:
            file.write_text(source)
        return bool(run.returncode) if run.returncode in {0, 1} else None

    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "pytest", *OPTIONS]
        if self.postgres:
            servers = [sys.executable, "-m", "tests.support.ephemeral_servers", "postgres", "--"]
            command = servers + command
        return [*command, *self.tests]


def faults(words: list[str]) -> list[Fault]:
    """The faults of the table, in its order."""
    rows = tomllib.loads(TABLE.read_text())["fault"]
    found = [Fault(**row | {"tests": tuple(row["tests"].split())}) for row in rows]
    return [fault for fault in found if not words or any(word in fault.name for word in words)]


def main(words: list[str]) -> int:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    wanted = faults(words)
    noticed = 0
    with tempfile.TemporaryDirectory(prefix="seeded-faults-") as directory:
        copy = Path(directory)
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
        for fault in wanted:
            result = fault.is_noticed(copy)
            noticed += result is True
            words_of = {True: "noticed", False: "NOT noticed", None: "OUT OF DATE"}
            print(f"{words_of[result]:<12} {fault.name}", flush=True)
    print(f"{noticed} of {len(wanted)} noticed")
    return int(noticed < len(wanted))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
