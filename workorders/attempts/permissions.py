"""Who may start and cancel runs."""

TRIGGER_PERMISSION = "workorders.trigger_run"
