"""How fast and how light the product is: ``make bench``, or ``python -m bench --help``."""
