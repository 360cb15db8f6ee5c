"""Makes the git repositories of a copy independent of the original.

The files have already been copied. This module handles git's pointers to other places: borrowed
objects, the work tree in the configuration, and linked worktrees.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from workorders.embedded.worker.workspace.barrier import without_git_variables
from workorders.embedded.worker.workspace.errors import WorkspaceError, printable
from workorders.embedded.worker.workspace.files import FileCopier
from workorders.embedded.worker.workspace.relocation import Relocation
from workorders.embedded.worker.workspace.tree import Report

FILTER = "run-workspace"
_PATH_END = rb"($|[^.[:alnum:]_+@~%-]|[.]([^[:alnum:]_]|$))"
_GIT_SECONDS = 60


class Repositories:
    """Makes the git repositories of one copy independent."""

    def __init__(
        self, relocation: Relocation, report: Report, check_stop: Callable[[], None]
    ) -> None:
        self._relocation = relocation
        self._report = report
        self._check_stop = check_stop

    def make_independent(self) -> None:
        """Remove all pointers to the original.

        Raises ``OSError``, ``WorkspaceError`` and what ``check_stop`` raises.
        """
        for source, target in self._report.repositories:
            self._check_stop()
            self._take_borrowed_objects(Path(source), Path(target))
            self._drop_worktrees_elsewhere(Path(source), Path(target))
            self._correct_configuration(Path(target))
        tops = [Path(target).parent for _, target in self._report.repositories if _is_work(target)]
        changed = {*self._report.rewritten, *self._report.changed_links}
        tops += [Path(self._relocation.target, path).parent for path in changed if _is_work(path)]
        for top in dict.fromkeys(tops):
            self._check_stop()
            if self._is_usable(top) and changed:
                self._keep_commits_free_of_the_copy(top)

    def _take_borrowed_objects(self, source: Path, target: Path) -> None:
        """Copy the objects of other repositories that ``objects/info/alternates`` names."""
        alternates = target / "objects" / "info" / "alternates"
        if not alternates.exists():
            return
        copier = FileCopier(self._check_stop)
        for place in _borrowed_from(Path(os.path.realpath(source / "objects"))):
            for directory, names, files in place.walk():
                if directory == place:
                    names[:] = [name for name in names if name != "info"]
                for file in files:
                    self._check_stop()
                    copy = target / "objects" / directory.relative_to(place) / file
                    _copy_object(copier, directory / file, copy)
        alternates.unlink()

    def _drop_worktrees_elsewhere(self, source: Path, target: Path) -> None:
        """Remove linked worktrees outside the workspace, which belong to the original alone."""
        worktrees = source / "worktrees"
        if not (target / "worktrees").is_dir():
            return
        for entry in worktrees.iterdir():
            with suppress(OSError):
                raw = os.fsdecode((entry / "gitdir").read_bytes().rstrip(b"\r\n"))
                place = os.path.realpath(entry / raw)
                if self._relocation.inside(place) is None:
                    shutil.rmtree(target / "worktrees" / entry.name)

    def _correct_configuration(self, git_dir: Path) -> None:
        """Let the work tree of the copy be the directory that contains ``.git``.

        A configured work tree elsewhere, or a bare repository, was meant for the original.
        """
        is_detached = str(git_dir) in self._report.detached
        for name in ("config", "config.worktree"):
            file = git_dir / name
            text = file.read_bytes().lower() if file.is_file() else b""
            if b"worktree" in text:
                place = _configured(file, "core.worktree")
                if place and (is_detached or not self._is_in_copy(git_dir / place)):
                    _git("config", "--file", str(file), "--unset-all", "core.worktree")
            if is_detached and b"bare" in text and _configured(file, "core.bare"):
                _git("config", "--file", str(file), "--replace-all", "core.bare", "false")

    def _is_usable(self, top: Path) -> bool:
        """Whether git finds a repository at ``top``.

        Raises ``WorkspaceError`` if the repository that git finds is not in the copy.
        """
        if not shutil.which("git"):
            return False
        place = _git(
            "rev-parse",
            "--path-format=absolute",
            "--git-common-dir",
            "--show-toplevel",
            cwd=top,
            check=False,
        )
        if not place or "\n" in str(top):
            return False
        for path in place.rstrip(b"\n").split(b"\n"):
            if not self._is_in_copy(Path(os.fsdecode(path))):
                raise WorkspaceError(
                    f"The repository of the copy would still be {printable(path)}: commits of the "
                    "run would land there. Use a clone as the workspace."
                )
        return True

    def _is_in_copy(self, path: Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self._relocation.target)

    def _keep_commits_free_of_the_copy(self, top: Path) -> None:
        """Keep rewritten files out of git's status and the copy's path out of commits.

        A filter in the copy's configuration (gitattributes(5)) writes the copy's path on checkout
        and restores the original's path on commit. Filters do not apply to symbolic links, so
        git is told to skip changed links.
        """
        index = _index(top)
        below = f"{top}/".removeprefix(f"{self._relocation.target}/")
        files = _below(below, self._report.rewritten, index)
        links = _below(below, self._report.changed_links, index)
        if files:
            attributes = _git(
                "rev-parse", "--path-format=absolute", "--git-path", "info/attributes", cwd=top
            )
            self._filter(top, Path(os.fsdecode(attributes.rstrip(b"\n"))), files)
            unchanged = [
                name for name, found in _hashes(top, files).items() if found == index[name]
            ]
            _update_index(top, unchanged)
        if links:
            _update_index(top, links, "--skip-worktree")

    def _filter(self, top: Path, attributes: Path, files: list[str]) -> None:
        pairs = [(old, new) for old, new in self._relocation.replacements.items() if old != new]
        for name, direction in (
            ("clean", [(new, old) for old, new in pairs]),
            ("smudge", pairs),
        ):
            _git("config", f"filter.{FILTER}.{name}", _sed(direction), cwd=top)
        attributes.parent.mkdir(exist_ok=True)
        with attributes.open("ab") as file:
            file.writelines(
                b"\n" + _pattern(name) + b" filter=" + FILTER.encode() for name in files
            )
            file.write(b"\n")


def _is_work(path: str) -> bool:
    return path == ".git" or path.endswith("/.git")


def _borrowed_from(objects: Path) -> list[Path]:
    """The object directories that ``objects`` borrows from, directly or through others."""
    found: dict[Path, None] = {}
    pending = [objects]
    while pending:
        directory = pending.pop()
        try:
            lines = (directory / "info" / "alternates").read_bytes().splitlines()
        except OSError:
            continue
        for line in lines:
            place = Path(os.path.realpath(directory / os.fsdecode(line)))
            if line and not line.startswith(b"#") and place not in found and place.is_dir():
                found[place] = None
                pending.append(place)
    return list(found)


def _copy_object(copier: FileCopier, source: Path, target: Path) -> None:
    if target.exists():
        return
    target.parent.mkdir(exist_ok=True)
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        copy = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        try:
            copier.copy(descriptor, copy, os.fstat(descriptor))
        finally:
            os.close(copy)
    finally:
        os.close(descriptor)


def _git(*arguments: str, cwd: Path | None = None, given: bytes = b"", check: bool = True) -> bytes:
    """Run git and return its output; empty if git fails and ``check`` is false.

    Only the repository's own configuration is used, and git starts no file system monitor. Raises
    ``WorkspaceError`` if git cannot be run, or if git fails and ``check`` is true.
    """
    environment = without_git_variables(os.environ) | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }
    if cwd:
        environment["GIT_CEILING_DIRECTORIES"] = str(cwd.parent)
    try:
        done = subprocess.run(  # noqa: S603 (fixed commands)
            ["git", "-c", "core.fsmonitor=false", "--literal-pathspecs", *arguments],  # noqa: S607
            cwd=cwd,
            env=environment,
            input=given,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise WorkspaceError(f"git is needed to copy this workspace: {exc}") from exc
    if check and done.returncode:
        reason = printable(done.stderr.strip())
        raise WorkspaceError(f"git {arguments[0]} failed while the workspace was copied: {reason}")
    return done.stdout if done.returncode == 0 else b""


def _configured(file: Path, name: str) -> str:
    value = _git("config", "--file", str(file), "--get", name, check=False)
    return os.fsdecode(value.rstrip(b"\n"))


def _index(top: Path) -> dict[str, str]:
    """Object names by path, for tracked files without a conflict."""
    entries = _git("ls-files", "--stage", "-z", cwd=top).split(b"\0")
    index = {}
    for entry in filter(None, entries):
        about, _, name = entry.partition(b"\t")
        _, object_name, stage = about.split(b" ")
        if stage == b"0":
            index[os.fsdecode(name)] = object_name.decode()
    return index


def _below(prefix: str, paths: Iterable[str], index: dict[str, str]) -> list[str]:
    """The tracked files among the paths, relative to the repository."""
    inside = (path.removeprefix(prefix) for path in paths if path.startswith(prefix))
    return [name for name in inside if name in index and "\n" not in name]


def _hashes(top: Path, names: list[str]) -> dict[str, str]:
    lines = os.fsencode("\n".join(names) + "\n")
    found = _git("hash-object", "--stdin-paths", cwd=top, given=lines).decode().split()
    return dict(zip(names, found, strict=True))


def _update_index(top: Path, names: list[str], *options: str) -> None:
    if names:
        data = os.fsencode("\0".join(names) + "\0")
        _git("update-index", *options, "-z", "--stdin", cwd=top, given=data)


def _sed(pairs: Iterable[tuple[bytes, bytes]]) -> str:
    """A shell command that replaces the first path of each pair by the second.

    The first path is not replaced where it is only a part of a longer name.
    """
    commands = []
    for old, new in pairs:
        searched = re.sub(rb"([\\.*+?()\[\]{}^$|#])", rb"\\\1", old) + _PATH_END
        replacement = re.sub(rb"([\\&#])", rb"\\\1", new) + rb"\1"
        commands.append("-e " + shlex.quote(os.fsdecode(b"s#%s#%s#g" % (searched, replacement))))
    return "LC_ALL=C sed -E " + " ".join(commands).replace("%", "%%")


def _pattern(name: str) -> bytes:
    """The pattern for one file in gitattributes(5): anchored and quoted as a C string."""
    literal = re.sub(rb"([*?\[\]\\])", rb"\\\1", os.fsencode(name))
    quoted = re.sub(rb'(["\\])', rb"\\\1", literal).replace(b"\t", b"\\t")
    return b'"/' + quoted + b'"'
