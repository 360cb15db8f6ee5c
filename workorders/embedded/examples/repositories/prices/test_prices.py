import unittest

from prices import with_discount


class Discount(unittest.TestCase):
    def test_half_a_cent_is_rounded_up(self) -> None:
        self.assertEqual(with_discount(1999, 15), 1699)
        self.assertEqual(with_discount(250, 15), 213)

    def test_a_price_is_never_negative(self) -> None:
        self.assertEqual(with_discount(500, 120), 0)


if __name__ == "__main__":
    unittest.main()
