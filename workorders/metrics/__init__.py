"""What a monitoring system can ask of the dashboard, and what a browser is told of a page's time.

docs/observability.md lists it all.
"""
