"""Workspaces of every shape that is hard to copy, since files in it refer to other places.

Each shape has a function that builds the workspace and a shell command that checks the copy.
"""

import os
import py_compile
import shutil
import socket
import struct
import subprocess
import sys
import zipapp
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GIT = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ALLOW_PROTOCOL": "file",
}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """``build`` gets the path of the workspace, which does not exist yet, and an empty directory.

    ``check`` is a shell command that runs in the copy before anything is changed there, and must
    end with exit status 0.
    """

    build: Callable[[Path, Path], None]
    check: str = "true"
    log: str = ""
    """Text that the log of the run must contain."""
    directory: str = "code/shop"
    """The path of the workspace, relative to a directory of the test."""


SHAPES: dict[str, Shape] = {}


def shape(
    check: str = "true", *, log: str = "", directory: str = "code/shop"
) -> Callable[[Callable[[Path, Path], None]], None]:
    def register(build: Callable[[Path, Path], None]) -> None:
        SHAPES[build.__name__] = Shape(build=build, check=check, log=log, directory=directory)

    return register


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.fsencode(text))
    path.chmod(mode)


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", directory, *arguments],
        env={"PATH": os.environ["PATH"], **GIT},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def repository(place: Path, **files: str) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    git(place, "init", "--quiet", "--initial-branch=main")
    write(place / "README", "a workspace\n")
    for name, text in files.items():
        write(place / name, text)
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--message=First")
    git(place, "remote", "add", "origin", "https://example.com/shop.git")
    return place


def environment(place: Path) -> Path:
    """Create a virtual environment as ``python -m venv`` does, and return its site-packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = place / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    write(
        place / "pyvenv.cfg",
        f"home = {Path(sys.executable).resolve().parent}\n"
        f"include-system-site-packages = false\nversion = {sys.version.split()[0]}\n"
        f"command = {sys.executable} -m venv {place}\n",
    )
    (place / "bin").mkdir()
    (place / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    (place / "bin" / "python3").symlink_to("python")
    return packages


def package(workspace: Path) -> None:
    write(workspace / "src" / "shop.py", "WHERE = __file__\n")


IMPORTS_COPY = (
    '''test "$(.venv/bin/python -c 'import shop; print(shop.WHERE)')" = "$PWD/src/shop.py"'''
)
GIT_INSIDE = (
    'test "$(git rev-parse --path-format=absolute --git-common-dir)" = "$PWD/.git" '
    '&& test "$(git rev-parse --show-toplevel)" = "$PWD" && test -z "$(git status --short)"'
)
WITH_REMOTE = f'{GIT_INSIDE} && test "$(git remote get-url origin)" = https://example.com/shop.git'


# --- Environments and builds ---


@shape(IMPORTS_COPY, log="now name the copy")
def editable_install_by_path_file(workspace: Path, elsewhere: Path) -> None:
    package(workspace)
    packages = environment(workspace / ".venv")
    write(packages / "__editable__.shop-1.0.pth", f"{workspace}/src\n")
    write(
        packages / "shop-1.0.dist-info" / "direct_url.json",
        f'{{"dir_info": {{"editable": true}}, "url": "file://{workspace}"}}',
    )


@shape(IMPORTS_COPY)
def editable_install_by_finder_with_byte_code(workspace: Path, elsewhere: Path) -> None:
    package(workspace)
    packages = environment(workspace / ".venv")
    finder = packages / "__editable___shop_1_0_finder.py"
    write(
        finder,
        "import sys\n"
        f"MAPPING = {{'shop': '{workspace}/src/shop'}}\n"
        "def install():\n    sys.path.append(MAPPING['shop'].rpartition('/')[0])\n",
    )
    write(
        packages / "__editable__.shop-1.0.pth",
        "import __editable___shop_1_0_finder as f; f.install()\n",
    )
    py_compile.compile(str(finder), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


@shape(IMPORTS_COPY)
def editable_install_by_egg_link(workspace: Path, elsewhere: Path) -> None:
    package(workspace)
    packages = environment(workspace / ".venv")
    write(packages / "easy-install.pth", f"{workspace}/src\n")
    write(packages / "shop.egg-link", f"{workspace}/src\n../")


@shape(IMPORTS_COPY, directory="code/my shöp (1)")
def editable_install_below_an_odd_path(workspace: Path, elsewhere: Path) -> None:
    editable = SHAPES["editable_install_by_path_file"]
    editable.build(workspace, elsewhere)
    url = "file://" + "/".join(
        part.replace(" ", "%20").replace("ö", "%C3%B6").replace("(", "%28").replace(")", "%29")
        for part in str(workspace).split("/")
    )
    write(workspace / "url", url)
    write(workspace / "escaped", str(workspace).replace("ö", "\\u00f6"))


@shape('. .venv/bin/activate && test "$VIRTUAL_ENV" = "$PWD/.venv"')
def activate_script(workspace: Path, elsewhere: Path) -> None:
    environment(workspace / ".venv")
    write(workspace / ".venv/bin/activate", f"VIRTUAL_ENV={workspace}/.venv\nexport VIRTUAL_ENV\n")


@shape('test "$(.venv/bin/tool one)" = "$PWD/.venv one"')
def console_script(workspace: Path, elsewhere: Path) -> None:
    environment(workspace / ".venv")
    write(
        workspace / ".venv/bin/tool",
        f"#!{workspace}/.venv/bin/python\nimport sys\nprint(sys.prefix, sys.argv[1])\n",
        0o755,
    )


@shape('test "$(.venv/bin/tool)" = "$PWD/.venv"')
def console_script_of_an_archive(workspace: Path, elsewhere: Path) -> None:
    environment(workspace / ".venv")
    write(workspace / "app/__main__.py", "import sys\nprint(sys.prefix)\n")
    zipapp.create_archive(
        workspace / "app",
        workspace / ".venv/bin/tool",
        interpreter=f"{workspace}/.venv/bin/python",
        compressed=True,
    )


@shape(
    'test "$(node_modules/.bin/tool)" = fine && test "$(node_modules/.bin/direct)" = fine'
    " && test -e node_modules/lib/index.js"
)
def node_modules_links(workspace: Path, elsewhere: Path) -> None:
    write(workspace / "packages/lib/index.js", "")
    write(workspace / "node_modules/tool/cli", "#!/bin/sh\necho fine\n", 0o755)
    (workspace / "node_modules/.bin").mkdir()
    (workspace / "node_modules/.bin/tool").symlink_to("../tool/cli")
    (workspace / "node_modules/.bin/direct").symlink_to(workspace / "node_modules/tool/cli")
    (workspace / "node_modules/lib").symlink_to(workspace / "packages/lib")


@shape(
    'grep -q "INTERNAL:STATIC=$PWD/build" build/CMakeCache.txt'
    ' && grep -q -- "-I$PWD/include" compile_commands.json'
    ' && grep -q "$PWD/target" .cargo/config.toml && test build/CMakeCache.txt -nt old'
)
def build_directories(workspace: Path, elsewhere: Path) -> None:
    write(
        workspace / "build/CMakeCache.txt",
        f"CMAKE_CACHEFILE_DIR:INTERNAL:STATIC={workspace}/build\n",
    )
    write(
        workspace / "compile_commands.json",
        f'[{{"directory": "{workspace}", "command": "cc -I{workspace}/include -c a.c"}}]',
    )
    write(workspace / ".cargo/config.toml", f'[build]\ntarget-dir = "{workspace}/target"\n')
    write(workspace / "old", "")
    for file in workspace.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))


@shape("test ! -e build/app && test -e build/plain", log="load libraries of the original")
def program_with_a_library_path(workspace: Path, elsewhere: Path) -> None:
    (workspace / "build").mkdir(parents=True)
    (workspace / "build/app").write_bytes(program(f"{workspace}/build/lib"))
    (workspace / "build/plain").write_bytes(program("$ORIGIN/lib"))


@shape('test "$(cat names)" = "$(cat expected)"')
def paths_that_only_look_alike(workspace: Path, elsewhere: Path) -> None:
    alike = f"{workspace}-old {workspace}.git /mnt{workspace}/a ../..{workspace} {workspace}/../b\n"
    write(workspace / "names", alike)
    write(workspace / "expected", alike)


# --- Links ---


@shape(
    "test -L to_file && test -e to_file && test -e to_directory/file && test -e to_root/directory",
    log="to_file",
)
def absolute_links_into_the_workspace(workspace: Path, elsewhere: Path) -> None:
    write(workspace / "directory/file", "text\n")
    (workspace / "to_file").symlink_to(workspace / "directory/file")
    (workspace / "to_directory").symlink_to(workspace / "directory")
    (workspace / "to_root").symlink_to(workspace)


@shape('test "$(readlink outside)" = "$(cat place)"', log="outside → ")
def absolute_link_to_elsewhere(workspace: Path, elsewhere: Path) -> None:
    write(elsewhere / "file", "text\n")
    write(workspace / "place", f"{elsewhere}/file")
    (workspace / "outside").symlink_to(elsewhere / "file")


@shape("test -e sibling && test -e back", log="sibling → ")
def relative_links_that_leave(workspace: Path, elsewhere: Path) -> None:
    write(workspace / "file", "text\n")
    write(workspace.parent / "other", "text\n")
    (workspace / "sibling").symlink_to("../other")
    (workspace / "back").symlink_to(f"../{workspace.name}/file")


@shape("test -e by_alias && test -e through")
def links_by_another_name_of_the_workspace(workspace: Path, elsewhere: Path) -> None:
    write(workspace / "file", "text\n")
    (elsewhere / "alias").symlink_to(workspace)
    (elsewhere / "chain").symlink_to(workspace / "file")
    (workspace / "by_alias").symlink_to(elsewhere / "alias/file")
    (workspace / "through").symlink_to(elsewhere / "chain")


@shape("test -L nowhere && test -L gone && test ! -e gone", log="nowhere → /nowhere/at/all")
def dangling_links(workspace: Path, elsewhere: Path) -> None:
    workspace.mkdir(parents=True)
    (workspace / "nowhere").symlink_to("/nowhere/at/all")
    (workspace / "gone").symlink_to(workspace / "gone-file")


@shape("test -L itself && test -L one && test -d a/up/a")
def link_loops(workspace: Path, elsewhere: Path) -> None:
    (workspace / "a").mkdir(parents=True)
    (workspace / "itself").symlink_to("itself")
    (workspace / "one").symlink_to(workspace / "two")
    (workspace / "two").symlink_to(workspace / "one")
    (workspace / "a/up").symlink_to("..")


@shape("test one -ef two && test $(stat -c %h one) = 2 && test $(stat -c %h shared) = 1")
def hard_links(workspace: Path, elsewhere: Path) -> None:
    write(workspace / "one", "text\n")
    os.link(workspace / "one", workspace / "two")
    write(elsewhere / "store", "text\n")
    os.link(elsewhere / "store", workspace / "shared")


# --- Files ---


@shape(
    "test $(stat -c %s image) = 6000000000 && test $(stat -c %b image) -lt 1000"
    " && tail -c 3 image | grep -q end"
)
def sparse_file(workspace: Path, elsewhere: Path) -> None:
    workspace.mkdir(parents=True)
    with (workspace / "image").open("wb") as file:
        file.write(b"start")
        file.seek(5_999_999_997)
        file.write(b"end")


@shape("test ! -e pipe && test ! -e socket", log="Left out")
def pipes_and_sockets(workspace: Path, elsewhere: Path) -> None:
    workspace.mkdir(parents=True)
    os.mkfifo(workspace / "pipe")
    directory = os.open(workspace, os.O_RDONLY)  # the path of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{directory}/socket")
    os.close(directory)


@shape("test -x tool && test ! -u tool && test ! -g tool && test ! -k shared")
def setuid_programs(workspace: Path, elsewhere: Path) -> None:
    write(workspace / "tool", "#!/bin/sh\n")
    (workspace / "tool").chmod(0o6755)
    (workspace / "shared").mkdir()
    (workspace / "shared").chmod(0o1777)


@shape(
    "test $(stat -c %a locked) = 555 && test $(stat -c %a locked/file) = 444"
    ' && grep -q "^$PWD/x" locked/file'
)
def read_only_files_and_directories(workspace: Path, elsewhere: Path) -> None:
    write(workspace / "locked/file", f"{workspace}/x\n", 0o444)
    (workspace / "locked").chmod(0o555)


ODD = (
    "-rf",
    "a b",
    "new\nline",
    "quote'\"",
    "*",
    "$(x)",
    "tab\t",
    ".hidden",
    "\udcff\udcfe",
    "%41",
)


@shape(
    f"test $(ls -A | wc -c) = {sum(len(os.fsencode(name)) + 1 for name in ODD)}", log="\ufffd\ufffd"
)
def odd_names(workspace: Path, elsewhere: Path) -> None:
    workspace.mkdir(parents=True)
    for name in ODD:
        (workspace / name).write_bytes(b"\xff" + os.fsencode(workspace) + b"\n")


# --- Repositories ---


@shape(WITH_REMOTE)
def plain_repository(workspace: Path, elsewhere: Path) -> None:
    repository(workspace)


@shape(f'{WITH_REMOTE} && grep -q "$PWD/run" script && git cat-file -p :script | grep -q shop/run')
def tracked_file_with_the_path(workspace: Path, elsewhere: Path) -> None:
    repository(workspace, script=f"{workspace}/run\n", other="x\n")
    # After a checkout the file has the path of the copy, too.
    git(workspace, "branch", "other")


@shape(f"{WITH_REMOTE} && test -e link && git reset --quiet --hard && test -e link")
def tracked_link_with_the_path(workspace: Path, elsewhere: Path) -> None:
    repository(workspace)
    (workspace / "link").symlink_to(workspace / "README")
    git(workspace, "add", "link")
    git(workspace, "commit", "--quiet", "--message=Link")


@shape(f'{WITH_REMOTE} && test "$(git branch --show-current)" = feature && git log -1 feature')
def linked_worktree(workspace: Path, elsewhere: Path) -> None:
    main = repository(elsewhere / "main")
    workspace.parent.mkdir(parents=True, exist_ok=True)
    git(main, "worktree", "add", "--quiet", "-b", "feature", str(workspace))
    git(main, "worktree", "add", "--quiet", str(elsewhere / "third"))


@shape(f'{GIT_INSIDE} && test "$(git branch --show-current)" = feature')
def worktree_of_a_bare_repository(workspace: Path, elsewhere: Path) -> None:
    repository(elsewhere / "main")
    git(elsewhere, "clone", "--quiet", "--bare", "main", "bare")
    workspace.parent.mkdir(parents=True, exist_ok=True)
    git(elsewhere / "bare", "worktree", "add", "--quiet", "-b", "feature", str(workspace))


@shape(
    "cd tree && "
    'test "$(git rev-parse --path-format=absolute --git-common-dir)" = "${PWD%/tree}/.git"'
)
def worktree_inside(workspace: Path, elsewhere: Path) -> None:
    repository(workspace, **{".gitignore": "/tree\n"})
    git(workspace, "worktree", "add", "--quiet", "tree")


@shape(f'{WITH_REMOTE} && test "$(git worktree list | wc -l)" = 1 && git branch -D other')
def worktree_elsewhere(workspace: Path, elsewhere: Path) -> None:
    repository(workspace)
    git(workspace, "worktree", "add", "--quiet", "-b", "other", str(elsewhere / "other"))


@shape(f'{GIT_INSIDE} && cd lib && test "$(git rev-parse --show-toplevel)" = "$PWD"')
def submodule(workspace: Path, elsewhere: Path) -> None:
    repository(elsewhere / "lib")
    repository(workspace)
    git(workspace, "submodule", "--quiet", "add", f"{elsewhere}/lib", "lib")
    git(workspace, "commit", "--quiet", "--message=Submodule")


@shape('cd lib && test "$(git rev-parse --show-toplevel)" = "$PWD"')
def submodule_by_an_absolute_path(workspace: Path, elsewhere: Path) -> None:
    SHAPES["submodule"].build(workspace, elsewhere)
    write(workspace / "lib/.git", f"gitdir: {workspace}/.git/modules/lib\n")
    git(workspace / ".git/modules/lib", "config", "core.worktree", f"{workspace}/lib")


@shape(GIT_INSIDE, directory="code/super/lib")
def workspace_that_is_a_submodule(workspace: Path, elsewhere: Path) -> None:
    SHAPES["submodule"].build(workspace.parent, elsewhere)


@shape(f'{GIT_INSIDE} && cd lib && test "$(git rev-parse --absolute-git-dir)" = "$PWD/.git"')
def worktree_with_a_submodule(workspace: Path, elsewhere: Path) -> None:
    SHAPES["submodule"].build(elsewhere / "main", elsewhere)
    workspace.parent.mkdir(parents=True, exist_ok=True)
    git(elsewhere / "main", "worktree", "add", "--quiet", str(workspace))
    git(workspace, "submodule", "--quiet", "update", "--init")


@shape(WITH_REMOTE)
def separate_git_directory(workspace: Path, elsewhere: Path) -> None:
    repository(workspace)
    git(workspace, "init", "--quiet", f"--separate-git-dir={elsewhere}/git")


@shape(WITH_REMOTE)
def git_directory_by_a_link(workspace: Path, elsewhere: Path) -> None:
    repository(workspace)
    shutil.move(workspace / ".git", elsewhere / "git")
    (workspace / ".git").symlink_to(elsewhere / "git")


@shape(WITH_REMOTE)
def git_directory_of_links(workspace: Path, elsewhere: Path) -> None:
    """A ``.git`` of links, as ``git-new-workdir`` and ``repo`` create it."""
    main = repository(elsewhere / "main")
    shutil.copytree(main, workspace)
    for name in ("objects", "refs", "config", "info", "logs/refs"):
        place = workspace / ".git" / name
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        place.symlink_to(main / ".git" / name)


@shape(f"{GIT_INSIDE} && test ! -e .git/objects/info/alternates && git fsck --full --strict")
def borrowed_objects(workspace: Path, elsewhere: Path) -> None:
    repository(elsewhere / "first")
    git(elsewhere, "clone", "--quiet", "--shared", "first", "second")
    workspace.parent.mkdir(parents=True, exist_ok=True)
    git(elsewhere, "clone", "--quiet", "--shared", "second", str(workspace))


@shape(GIT_INSIDE)
def work_tree_elsewhere(workspace: Path, elsewhere: Path) -> None:
    repository(workspace)
    write(elsewhere / "README", "a workspace\n")
    git(workspace, "config", "core.worktree", str(elsewhere))


@shape(f'{WITH_REMOTE} && cd vendor/lib && test "$(git rev-parse --show-toplevel)" = "$PWD"')
def nested_repository(workspace: Path, elsewhere: Path) -> None:
    repository(workspace, **{".gitignore": "/vendor\n"})
    repository(workspace / "vendor/lib")


@shape("git add README && git commit --quiet --allow-empty --message=x")
def repository_with_a_lock(workspace: Path, elsewhere: Path) -> None:
    repository(workspace)
    write(workspace / ".git/index.lock", "")


@shape("! git rev-parse --git-dir")
def no_repository_inside_of_one(workspace: Path, elsewhere: Path) -> None:
    repository(workspace.parent)
    write(workspace / "file", "text\n")


def program(library_path: str) -> bytes:
    """The smallest ELF file with a RUNPATH: a header, two segments, one table of strings."""
    strings = b"\0" + library_path.encode() + b"\0"
    header, segment = 64, 56
    table = header + 2 * segment
    dynamic = struct.pack("<qQqQqQqQ", 5, table, 10, len(strings), 29, 1, 0, 0)
    size = table + len(strings) + len(dynamic)
    return (
        struct.pack(
            "<4sBBBB8xHHIQQQIHHHHHH",
            *(b"\x7fELF", 2, 1, 1, 0),
            *(3, 62, 1, 0, header, 0, 0, header, segment, 2, 64, 0, 0),
        )
        + struct.pack("<IIQQQQQQ", 1, 4, 0, 0, 0, size, size, 4096)
        + struct.pack("<IIQQQQQQ", 2, 4, table + len(strings), 0, 0, len(dynamic), len(dynamic), 8)
        + strings
        + dynamic
    )
