"""Cancelling a run: the dialog, the service and its outcomes."""
