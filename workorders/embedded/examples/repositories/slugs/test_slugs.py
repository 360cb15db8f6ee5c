import unittest

from slugs import slug


class Slug(unittest.TestCase):
    def test_digits_are_kept(self) -> None:
        self.assertEqual(slug("Version 2"), "version-2")

    def test_no_hyphen_at_either_end(self) -> None:
        self.assertEqual(slug("Why?"), "why")

    def test_accents_are_removed(self) -> None:
        self.assertEqual(slug("Crème brûlée"), "creme-brulee")


if __name__ == "__main__":
    unittest.main()
