"""The audit trail: who tried to start which run, and what came of each attempt."""
