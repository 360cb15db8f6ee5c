"""Starting a new run of a work order: the dialog, the service and its outcomes."""
