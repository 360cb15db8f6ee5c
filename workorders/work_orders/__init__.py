"""The list of work orders, a work order's page, and the list of its attempts."""
