"""Health of the dashboard and of the runs API, told to people and to machines."""
