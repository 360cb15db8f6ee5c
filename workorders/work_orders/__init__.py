"""The list of work orders, the page of one, and the list of its attempts."""
