"""The client of the runs API: the only package that speaks HTTP to it."""
