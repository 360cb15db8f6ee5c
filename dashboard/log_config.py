"""Where log lines go, and in which format: ``LOG_FORMAT`` and ``LOG_LEVEL``."""

import sys

from dashboard import env

LOG_FORMAT = env.choice("LOG_FORMAT", "TEXT", of=("TEXT", "JSON"))
_log_level = env.choice("LOG_LEVEL", "INFO", of=("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "TEXT": {"()": "workorders.observability.log_format.TextFormatter"},
        "JSON": {"()": "workorders.observability.log_format.JSONFormatter"},
    },
    "filters": {"exceptions": {"()": "workorders.observability.log_format.ExceptionsOnly"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "stream": sys.stderr,
            "formatter": LOG_FORMAT,
        },
    },
    "root": {"handlers": ["console"], "level": _log_level},
    # Django's own handlers are removed: the root logger alone decides where lines go.
    "loggers": {
        "django": {"handlers": [], "propagate": True, "level": "WARNING"},
        # The access log has a line for each response; this logger reports exceptions of pages.
        "django.request": {"filters": ["exceptions"]},
        # Access lines of runserver are hidden: they would contain complete sign-in links.
        "django.server": {"handlers": [], "propagate": True, "level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # These log every task; the workers log every run.
        "django_tasks_db": {"level": "WARNING"},
        "django_tasks_redis": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},  # the runs API client logs its calls itself
    },
}
