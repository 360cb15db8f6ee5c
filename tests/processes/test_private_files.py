"""Nobody else on the machine reads what the product keeps."""

from pathlib import Path

from tests.support.product import Product
from tests.test_security import manage

OPEN = {
    "dashboard.sqlite3": 0o644,
    "secret-key": 0o644,
    "runs-api-key": 0o640,
    "logs/web.log": 0o664,
}


def modes(directory: Path) -> dict[str, int]:
    """Of the directory itself, its logs, and what is worth reading in it."""
    paths = [directory, directory / "logs", *directory.glob("logs/*")]
    paths += [*directory.glob("*.sqlite3*"), directory / "secret-key", directory / "runs-api-key"]
    return {str(path.relative_to(directory)): path.stat().st_mode & 0o777 for path in paths}


def test_a_new_data_directory_is_private(tmp_path: Path) -> None:
    with Product(tmp_path / "data", WEB_PROCESSES="1", WORKERS="1") as product:
        found = modes(product.data_dir)
    assert found.keys() >= {".", "logs", "logs/web.log", "dashboard.sqlite3", "runs-api-key"}
    for name, mode in found.items():
        assert mode == (0o700 if name in {".", "logs"} else 0o600), (name, oct(mode))


def test_one_that_was_open_is_mended_at_the_next_start(tmp_path: Path) -> None:
    """As of a version before, with everything in it."""
    manage(tmp_path, "migrate")
    (tmp_path / "logs").mkdir(exist_ok=True)
    (tmp_path / "logs" / "web.log").touch()
    for name, mode in OPEN.items():
        (tmp_path / name).chmod(mode)
    for directory in (tmp_path, tmp_path / "logs"):
        directory.chmod(0o755)
    manage(tmp_path, "list_accounts")
    assert not [name for name, mode in modes(tmp_path).items() if mode & 0o077]


def test_a_directory_for_everybody_is_left_as_it_is(tmp_path: Path) -> None:
    """As /tmp is."""
    tmp_path.chmod(0o1777)
    assert manage(tmp_path, "check").returncode == 0
    assert tmp_path.stat().st_mode & 0o7777 == 0o1777
