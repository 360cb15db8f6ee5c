"""The product's settings with a data directory of the test run's own.

``TEST_DATABASE_URL`` and ``TEST_REDIS_URL`` choose servers, as
``tests.support.ephemeral_servers`` starts them.
"""

import os
import tempfile
from pathlib import Path

from tests.support.test_databases import new_redis

# Set before the import: the settings read the environment once.
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="dashboard-tests-")
for _name in (
    "RUNS_API_URL",
    "RUNS_API_KEY",
    "ALLOWED_HOSTS",
    "DEBUG",
    "METRICS_TOKEN",
):
    os.environ.pop(_name, None)
# Whom clients trust: to read all authorities of the system takes longer than most tests.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).parent / "data" / "authority.pem")
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
os.environ["REDIS_URL"] = new_redis()
os.environ["DATABASE_LOCK_SECONDS"] = "20"  # many tests write at once, on busy machines
os.environ["ISOLATION"] = "off"  # tests look at what their commands leave; some turn it on
os.environ["SECRET_KEY"] = "a-key-for-tests-only-" + "x" * 40

from dashboard.settings import *  # noqa: E402, F403

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Pages of a test follow each other faster than open pages are refreshed.
SHARED_READ_SECONDS = 0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if not os.environ["DATABASE_URL"]:
    # A file, not memory: threads and worker processes of a test share it.
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(os.environ["DATA_DIR"], "test.sqlite3")}  # noqa: F405, PTH118
