"""The page of a run, its log, and runs that were accepted but not seen yet."""
