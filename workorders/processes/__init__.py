"""The processes of ``manage.py serve``: supervisor, web server, orphan reaper."""
