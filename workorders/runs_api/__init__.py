"""The client of the runs API. No other package sends HTTP requests to the runs API."""
