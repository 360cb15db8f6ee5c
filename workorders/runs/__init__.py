"""The page of a run, its log, and runs that the API has accepted but does not show yet."""
