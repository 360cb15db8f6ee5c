"""Measures the speed and the memory of the product: ``make bench``, ``python -m bench --help``."""
