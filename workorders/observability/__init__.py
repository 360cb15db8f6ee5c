"""What people and machines can see of a running dashboard: request IDs, logs, metrics."""
