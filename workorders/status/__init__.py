"""Health of the dashboard and of the runs API, for people and for monitoring systems."""
