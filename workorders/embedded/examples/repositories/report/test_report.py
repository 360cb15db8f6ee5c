import unittest

from report import totals


class Report(unittest.TestCase):
    def test_amounts_of_an_account_are_added(self) -> None:
        self.assertEqual(totals(["a,1", "b,2", "a,3"]), {"a": 4, "b": 2})


if __name__ == "__main__":
    unittest.main()
