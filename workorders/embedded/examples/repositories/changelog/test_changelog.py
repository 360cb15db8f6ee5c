import re
import unittest
from pathlib import Path


class Changelog(unittest.TestCase):
    def test_newest_entry_is_the_release(self) -> None:
        text = Path("CHANGELOG.md").read_text(encoding="utf-8")
        entries = re.findall(r"^## (\S+) – (\d{4}-\d\d-\d\d)$", text, re.MULTILINE)
        self.assertEqual(entries[0][0], "1.4.0", "the newest entry must be 1.4.0, with a date")


if __name__ == "__main__":
    unittest.main()
