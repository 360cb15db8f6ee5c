"""The permission to start and to cancel runs."""

TRIGGER_PERMISSION = "workorders.trigger_run"
