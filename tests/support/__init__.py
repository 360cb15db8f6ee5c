"""Helpers of the tests: fakes, products, parsers. tests/README.md says which is for what."""
