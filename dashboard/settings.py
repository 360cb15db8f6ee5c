"""Django settings. Every value that differs between machines is an environment variable.

docs/configuration.md lists the variables. The defaults start a working product on one machine.
A host name in ``ALLOWED_HOSTS`` that is not loopback turns on the settings for HTTPS.
"""

from pathlib import Path

from dashboard import env, log_config, places, security_headers
from dashboard.database import database
from workorders.processes.private_files import keep_private

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.directory("DATA_DIR", BASE_DIR / ".data")
keep_private(DATA_DIR)

DEBUG = env.flag("DEBUG")
SHORTEST_SECRET = env.SHORTEST_SECRET
"""Characters. Shorter values are not redacted from texts."""
SECRET_KEY = env.secret("SECRET_KEY", DATA_DIR / "secret-key", shortest=env.SHORTEST_SIGNING_KEY)
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", tuple(sorted(env.LOOPBACK_HOSTS)))

# --- The runs API (docs/configuration.md) ---
RUNS_API_URL = env.http_url("RUNS_API_URL").removesuffix("/api/v1").rstrip("/")
"""The runs API's URL, without ``/api/v1``; empty: the embedded runs API."""
RUNS_API_KEY = env.token("RUNS_API_KEY", shortest=1)
if not RUNS_API_URL:
    RUNS_API_KEY = env.secret(
        "RUNS_API_KEY", DATA_DIR / "runs-api-key", shortest=env.SHORTEST_SECRET
    )
RUNS_API_CONNECT_TIMEOUT = env.number("RUNS_API_CONNECT_TIMEOUT", 1, minimum=0.05, maximum=60)
RUNS_API_READ_TIMEOUT = env.number("RUNS_API_READ_TIMEOUT", 2, minimum=0.05, maximum=60)
RUNS_API_TRIGGER_TIMEOUT = env.number("RUNS_API_TRIGGER_TIMEOUT", 2, minimum=0.05, maximum=60)
RUNS_API_HONOURS_KEYS = env.flag("RUNS_API_HONOURS_KEYS", default=not RUNS_API_URL)
"""Whether the runs API responds to a repeated ``Idempotency-Key`` with the run it started first."""
RUNS_API_SETTLE_SECONDS = env.number("RUNS_API_SETTLE_SECONDS", 6, minimum=0.05, maximum=60)
"""How long reconciliation searches for the run of a trigger that got no response. Recorded
servers list a run within a second of accepting it."""
SHARED_READ_SECONDS = env.number("SHARED_READ_SECONDS", 1, minimum=0, maximum=60)
"""The greatest age of a read that polls of several pages share; 0: polls share no reads."""
RUNS_API_CANCELS = env.choice(
    "RUNS_API_CANCELS", "WORK-ORDER" if RUNS_API_URL else "RUN", of=("RUN", "WORK-ORDER")
)
WEB_PROCESSES = env.integer("WEB_PROCESSES", 2, minimum=1, maximum=64)
HOST = env.text("HOST", "127.0.0.1")
PORT = env.integer("PORT", 8000, minimum=0, maximum=65535)
"""The port of the web server; 0: any free port."""
WORKERS = env.integer("WORKERS", 2, minimum=0, maximum=64)
STOP_GRACE_SECONDS = env.number("STOP_GRACE_SECONDS", 5, minimum=0, maximum=86_400)
WEB_THREADS = env.integer("WEB_THREADS", 16, minimum=1, maximum=256)
WEB_HUNG_SECONDS = env.number("WEB_HUNG_SECONDS", 30, minimum=1, maximum=3600)
WEB_BODY_SECONDS = env.number("WEB_BODY_SECONDS", 10, minimum=0.1, maximum=600)
"""How long the complete body of a request may take to arrive."""
WEB_SEND_SECONDS = env.number("WEB_SEND_SECONDS", 30, minimum=0.1, maximum=600)
"""How long a client may read nothing of a response before the connection is closed."""
WEB_DOWNLOADS = env.integer("WEB_DOWNLOADS", 32, minimum=1, maximum=1000)
"""How many logs a web process sends at the same time, as downloads."""
RUNS_API_MAX_CALLS = max(1, WEB_THREADS * 3 // 4)
"""Threads of a web process that may call the runs API at the same time. The other threads keep
pages that need no call responsive."""
MAX_WAITING_STARTS = WEB_THREADS // 8
"""Threads of a web process that may wait for another start of the same work order."""
MAX_WAITING_CALLS = max(0, WEB_THREADS - RUNS_API_MAX_CALLS - MAX_WAITING_STARTS - 1)
"""Threads of a web process that may wait for another call to end. One thread never waits."""

# --- The embedded runs API and its workers ---
PROFILES_FILE = Path(env.text("PROFILES_FILE", str(DATA_DIR / "profiles.toml"))).expanduser()
_workspaces = places.workspaces_directories(DATA_DIR)
WORKSPACES_DIR = places.best_workspaces_directory(_workspaces)
"""Where every run has its copy of a workspace. The default directory is created on first use."""
if env.text("WORKSPACES_DIR"):
    WORKSPACES_DIR = env.directory("WORKSPACES_DIR", WORKSPACES_DIR)
FORMER_WORKSPACES_DIRS = tuple(place for place in _workspaces if place != WORKSPACES_DIR)
"""Directories that may hold copies made with other settings; retention removes these too."""
PROJECT_MARKERS = places.PROJECT_MARKERS
WORKSPACES_KEPT = env.integer("WORKSPACES_KEPT", 50, minimum=1, maximum=1_000_000)
WORKSPACES_MAX_BYTES = env.number("WORKSPACES_MAX_GB", 100, minimum=0, maximum=1e6) * 1e9
"""The size limit of all kept copies together; 0: no limit."""
WORKSPACE_ROOTS = env.directories("WORKSPACE_ROOTS")
"""Workspaces must be inside one of these directories; empty: workspaces may be anywhere."""
ISOLATION = env.choice("ISOLATION", "AUTO", of=("AUTO", "REQUIRED", "OFF"))
"""Whether agents and verifications are isolated from the machine; AUTO: where that is possible
(docs/security.md)."""
RUN_LEASE_SECONDS = env.number("RUN_LEASE_SECONDS", 45, minimum=1, maximum=3600)
RUN_LOG_LIMIT_BYTES = env.integer("RUN_LOG_LIMIT_MB", 100, minimum=1, maximum=10_000) * 1_000_000

REDIS_URL = env.redis_url("REDIS_URL")
"""The URL of a Redis or Valkey server; empty: none, and the database wakes the workers."""
# Tasks wake up the workers. They carry no payload: pending runs are read from the database.
TASKS: dict[str, dict[str, object]] = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
if REDIS_URL:
    TASKS["default"] = {
        "BACKEND": "django_tasks_redis.RedisTaskBackend",
        "OPTIONS": {
            "REDIS_URL": REDIS_URL,
            # A trigger enqueues a task: a lost Redis server must not delay the trigger.
            "REDIS_SOCKET_CONNECT_TIMEOUT": 1,
            "REDIS_SOCKET_TIMEOUT": 1,
            "REDIS_BLOCK_TIMEOUT": 0,  # workers pass their own time-out: half a second
            "REDIS_RESULT_TTL": 2 * 86_400,  # seconds; longer than any run
        },
    }

# --- Metrics (docs/observability.md) ---
METRICS_TOKEN = env.token("METRICS_TOKEN")
"""The bearer token for ``/metrics``; empty: ``/metrics`` refuses every request."""
METRICS_DIR = env.directory("METRICS_DIR", DATA_DIR / "metrics")

# --- Retention, in days; 0: for ever (workorders.attempts.retention) ---
ATTEMPTS_KEPT_DAYS = env.days("ATTEMPTS_KEPT_DAYS", minimum=7)
"""At least a week: an operator may send a form again that has been open for days."""
RUNS_KEPT_DAYS = env.days("RUNS_KEPT_DAYS", minimum=2)
"""At least two days: an idempotency key lives for one, and a repeated trigger must find its run."""
LOGS_KEPT_DAYS = env.days("LOGS_KEPT_DAYS", minimum=1)

# --- Applications ---
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_tasks_db",
    "workorders",
    "workorders.embedded",
]

MIDDLEWARE = [
    "workorders.observability.request_id.RequestIDMiddleware",
    "workorders.observability.access_log.AccessLogMiddleware",
    "workorders.status.health_endpoints.HealthEndpointsMiddleware",
    "workorders.observability.middleware.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "workorders.accounts.middleware.TrustedHeaderMiddleware",
    "workorders.accounts.middleware.SignInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "workorders.web.preferences.preferences",
                "workorders.status.views.runs_api_health",
            ],
            "builtins": [
                "django.templatetags.static",
                "django_htmx.templatetags.django_htmx",
                "workorders.templatetags.dashboard",
                "workorders.templatetags.attempts",
            ],
        },
    }
]

# --- Database ---
DATABASE_LOCK_SECONDS = env.number("DATABASE_LOCK_SECONDS", 1.5, minimum=0.05, maximum=3600)
"""How long a query waits for a lock of another transaction; less than an operator waits for a
start. After that time the page or the API reports it, and workers try again."""
# The runs API is never called inside a transaction: ATOMIC_REQUESTS stays off.
DATABASES = {
    "default": database(DATA_DIR / "dashboard.sqlite3", lock_seconds=DATABASE_LOCK_SECONDS)
}

# Open pages share reads of the runs API through the database, between processes and hosts.
CACHES = {
    "default": {
        "BACKEND": "workorders.runs_api.json_cache.JSONDatabaseCache",
        "LOCATION": "shared_reads",
        "TIMEOUT": 60,
        "OPTIONS": {"MAX_ENTRIES": 1_000},  # each at most 100 KB: workorders.runs_api.read_cache
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Accounts ---
SESSION_ENGINE = "workorders.accounts.sessions"
SIGN_IN_LINK_MINUTES = env.number("SIGN_IN_LINK_MINUTES", 15, minimum=1, maximum=10_080)
PASSWORD_ATTEMPTS = env.integer("PASSWORD_ATTEMPTS", 5, minimum=1, maximum=1000)
PASSWORD_LOCK_MINUTES = env.number("PASSWORD_LOCK_MINUTES", 15, minimum=0.1, maximum=1440)
OIDC_ISSUER = env.https_url("OIDC_ISSUER")
"""The URL of the OpenID Connect provider; empty: there is none."""
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET")
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", "groups")
env.require("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
OPERATOR_GROUPS = frozenset(env.words("OPERATOR_GROUPS"))
VIEWER_GROUPS = frozenset(env.words("VIEWER_GROUPS"))
TRUSTED_USER_HEADER = env.text("TRUSTED_USER_HEADER")
"""The header with the user name that a trusted proxy has signed in; empty: none is used."""
TRUSTED_GROUPS_HEADER = env.text("TRUSTED_GROUPS_HEADER")
env.require("TRUSTED_USER_HEADER", "TRUSTED_PROXIES")
env.require("TRUSTED_GROUPS_HEADER", "TRUSTED_USER_HEADER")
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
"""Addresses of the proxies whose headers name the client's address and user."""
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "work_order_list"
LOGOUT_REDIRECT_URL = "sign_in"
PASSWORD_HASHERS = ["workorders.accounts.password_hashing.BackgroundPBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]

# --- Security ---
# Plain HTTP is allowed on loopback only: any other host name turns on HTTPS everywhere.
_secure = not DEBUG and not set(ALLOWED_HOSTS) <= env.LOOPBACK_HOSTS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _secure
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=_secure)
SECURE_HSTS_SECONDS = 31_536_000 if _secure else 0
# These affect other hosts of the domain, for months: the owner of the domain has to decide.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS")
SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD")
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
TRUST_PROXY_HEADERS = env.flag("TRUST_PROXY_HEADERS")
if TRUST_PROXY_HEADERS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
CSRF_FAILURE_VIEW = "workorders.error_pages.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
PERMISSIONS_POLICY = security_headers.PERMISSIONS_POLICY
SECURE_CSP = security_headers.CONTENT_SECURITY_POLICY

# --- Static files ---
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Language and time: UTC in the database and in HTML; scripts show the operator's zone ---
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

LOG_FORMAT = log_config.LOG_FORMAT
LOGGING = log_config.LOGGING
