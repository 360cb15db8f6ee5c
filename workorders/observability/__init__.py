"""Request IDs, logs and metrics, by which people and machines watch a running dashboard."""
