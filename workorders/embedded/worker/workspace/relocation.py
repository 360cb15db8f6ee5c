"""Rewrites paths in a workspace's files that lead to the original, so that they name the copy.

Tools write absolute paths into the files that they create: virtual environments, editable
installs, build directories, lock files. No list of such tools is complete, so every text file is
searched for the original's path.
"""

import json
import os
import re
import shlex
from pathlib import Path, PurePath
from urllib.parse import quote_from_bytes

from workorders.embedded.worker.workspace.elf import Bytes, dynamic_strings
from workorders.embedded.worker.workspace.errors import WorkspaceError, printable

LARGEST_TEXT = 64 * 1024 * 1024
"""Bytes. Larger files are data or logs; the largest known build files have half this size."""
HEAD = 8_192
"""A file with a zero byte among its first ``HEAD`` bytes is binary; git uses the same rule."""
SHEBANG_EVERYWHERE = 127
"""The longest first line that every kernel reads, in bytes without the line end (execve(2))."""
SHEBANG_LIMIT = 255
"""The longest first line that Linux reads since version 5.1."""

_AFTER = rb"(?![\w+@~%-]|\.\w|[\x80-\xff])"
"""What must not follow the path, so that /home/me/shop is not found in /home/me/shop-old or
/home/me/shop.git."""
_BEFORE = re.compile(rb"[\w./$~{}@+%-]*\Z")
_ALLOWED_BEFORE = re.compile(rb"[@/]*|-{1,2}[\w-]*")
"""What may precede the path: nothing, the slashes of a URL, or a flag such as -I. After anything
else the match is part of another path."""
_REST = re.compile(rb"[^\s\"'<>|:;,()]*")
_MADE_BY_TOOLS = re.compile(
    r".*\.(pth|egg-link|pc|cmake|d)|__editable__.*|activate.*|direct_url\.json|pyvenv\.cfg"
    r"|CMakeCache\.txt|compile_commands\.json|build\.ninja|\.git|gitdir|config|config\.toml",
    re.IGNORECASE,
)


class Relocation:
    """Replaces the path of the original, in all its spellings, by the path of the copy.

    ``source`` is the path of the original and ``target`` the path of the copy.
    """

    def __init__(self, source: Path, target: Path) -> None:
        roots = dict.fromkeys((os.path.abspath(source), os.path.realpath(source)))  # noqa: PTH100 (keeps symlinks)
        self.roots = tuple(roots)
        self.target = str(target)
        self.replacements: dict[bytes, bytes] = {}
        for root in self.roots:
            for spelled in (bytes, _percent_encoded, _json_escaped, _shell_escaped):
                old, new = spelled(os.fsencode(root)), spelled(os.fsencode(target))
                self.replacements.setdefault(old, new)
        longest_first = sorted(self.replacements, key=len, reverse=True)
        self._pattern = re.compile(
            b"(?:" + b"|".join(map(re.escape, longest_first)) + b")" + _AFTER
        )
        # A short path such as /app may also occur in ordinary code. It is replaced only in files
        # that tools write.
        self._distinctive = all(len(PurePath(root).parts) > 2 for root in self.roots)
        self.left_unchanged: list[str] = []
        """Files that contain a short path and were left as they are."""

    def rewritten(self, data: bytes, path: str) -> bytes:
        """The file's content for the copy; the object ``data`` itself if nothing is rewritten.

        ``path`` is relative to the workspace. Raises ``WorkspaceError`` if the first line of a
        script cannot be rewritten.
        """
        if not self._is_mentioned(data):
            return data
        first, end, rest = data.partition(b"\n")
        is_script = first.startswith(b"#!") and self._is_mentioned(first)
        # A file may have a first line of a script and then an archive, as zipapp writes it. Such a
        # file is not text.
        is_text = b"\0" not in data
        if is_text and not (self._distinctive or is_script or _is_made_by_tools(path)):
            if self._replaced(data) != data:
                self.left_unchanged.append(path)
            return data
        if is_script:
            first = self._first_line(first, path)
        elif is_text:
            first = self._replaced(first)
        changed = first + end + (self._replaced(rest) if is_text else rest)
        return data if changed == data else changed

    def is_loaded_from_original(self, data: Bytes) -> bool:
        """Whether the dynamic linker would search the original for libraries of this binary."""
        strings = dynamic_strings(data)
        return bool(strings) and self._replaced(strings) != strings

    def inside(self, path: str) -> str | None:
        """The path relative to the original's root; None if the path is not in the original."""
        for root in self.roots:
            if path == root:
                return "."
            if path.startswith(f"{root}/"):
                return path[len(root) + 1 :]
        return None

    def link(self, raw: str, directory: str) -> tuple[str, str]:
        """The target of a symbolic link in the copy, and the place outside the workspace.

        ``raw`` is the link's target in the original, and ``directory`` the real path of the
        link's directory there. The second value is ``""`` if the link stays in the workspace.
        """
        place = os.path.normpath(os.path.join(directory, raw))  # noqa: PTH118
        relative = not os.path.isabs(raw)  # noqa: PTH117
        if relative and self._stays(raw, directory):
            return raw, ""
        inside = self.inside(place)
        if inside is None:
            inside = self.inside(os.path.realpath(place))
        if inside is None:
            return (place if relative else raw), place
        return os.path.relpath(os.path.join(self.roots[-1], inside), directory), ""  # noqa: PTH118

    def _stays(self, raw: str, directory: str) -> bool:
        """Whether a relative path stays below the root, without leaving it and coming back."""
        inside = self.inside(directory)
        # If the directory is not in the original, its content was copied from another place.
        return not os.path.normpath(f"{inside or '.'}/{raw}").startswith(("../", "/"))

    def _is_mentioned(self, data: bytes) -> bool:
        return any(old in data for old in self.replacements)

    def _replaced(self, data: bytes) -> bytes:
        if not self._is_mentioned(data):
            return data

        def replace(match: re.Match[bytes]) -> bytes:
            old = match.group()
            return self.replacements[old] if _is_this_path(data, match) else old

        return self._pattern.sub(replace, data)

    def _first_line(self, line: bytes, path: str) -> bytes:
        """The rewritten first line of a script.

        If the line is too long for the kernel or contains a space, a shell command takes its
        place. Only Python scripts can begin with this command; pip and uv write the same.
        """
        interpreter, _, arguments = line[2:].strip().partition(b" ")
        moved, arguments, new = map(self._replaced, (interpreter, arguments, line))
        if b" " not in moved and len(new) <= SHEBANG_EVERYWHERE:
            return new
        if re.match(rb"python|pypy", interpreter.rpartition(b"/")[2]):
            command = os.fsencode(shlex.quote(os.fsdecode(moved)))
            options = arguments + b" " if arguments else b""
            return b"#!/bin/sh\n'''exec' %s %s\"$0\" \"$@\"\n' '''" % (command, options)
        if b" " not in moved and len(new) <= SHEBANG_LIMIT:
            return new
        raise WorkspaceError(
            f"The first line of {printable(path)} would be too long or hold a space in the copy; "
            "set WORKSPACES_DIR to a shorter directory."
        )


def _is_made_by_tools(path: str) -> bool:
    return bool(_MADE_BY_TOOLS.fullmatch(PurePath(path).name))


def _is_this_path(data: bytes, match: re.Match[bytes]) -> bool:
    """Whether the match is a path of its own and does not leave the original with ``..``."""
    start, end = match.span()
    found = _BEFORE.search(data, max(0, start - 256), start)
    before = found.group() if found else b""
    is_escape = data[start - 2 : start] in {b"\\n", b"\\r", b"\\t"}
    if not (_ALLOWED_BEFORE.fullmatch(before) or (is_escape and len(before) == 1)):
        return False
    found = _REST.match(data, end)
    rest = found.group() if found else b""
    if b"/.." not in rest:
        return True
    place = os.path.normpath(match.group() + rest)
    return place == match.group() or place.startswith(match.group() + b"/")


def _percent_encoded(path: bytes) -> bytes:
    return quote_from_bytes(path).encode()


def _json_escaped(path: bytes) -> bytes:
    return json.dumps(path.decode(errors="replace"))[1:-1].encode()


def _shell_escaped(path: bytes) -> bytes:
    return re.sub(rb"([^\w@%+=:,./\x80-\xff-])", rb"\\\1", path)
