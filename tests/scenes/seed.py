"""What the dashboard remembers before the first scene: people, and their attempts to start runs."""

import json
from typing import Any

from tests.scenes.data import at
from tests.support.product import Product

TRIED = "tried42"
"""A work order whose runs were started here, or not."""
NEVER_APPEARED = "run-ghost7-1795430617725"
ONE_OF_SEVERAL = "run-twins7-1795430617725"
LOST_KEY = "00000000-0000-4000-8000-000000000077"
"""Of a start of work order ``lost7`` of which nothing could be found out."""

_SCRIPT = """
import hashlib
import json
from datetime import timedelta
from django.conf import settings
from workorders.accounts.sessions import SIGN_IN, SessionStore
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from workorders.accounts.users import ensure_account
from workorders.accounts.models import SignInLink
from django.contrib.auth.models import User
from workorders.attempts.models import TriggerAttempt
from django.utils import timezone

BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1",
    "curl/8.15.0",
)


def sign_in(user_agent, address):
    return {"at": timezone.now().isoformat(), "user_agent": user_agent, "address": address}


people = {name: ensure_account(name, can_trigger=name != "viewer")
          for name in ("operator", "alice", "viewer", "דנה")}
for fields in json.loads(%r):
    created_at, user = fields.pop("created_at"), people[fields.pop("user")]
    earlier = fields.pop("earlier", ())
    attempt = TriggerAttempt.objects.create(user=user, was_resent=bool(earlier), **fields)
    for submission in earlier:
        attempt.earlier_submissions.create(**submission)
    TriggerAttempt.objects.filter(pk=fields["key"]).update(created_at=created_at)
for name, user in people.items():
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session[SIGN_IN] = sign_in(BROWSERS[0], "192.0.2.7")
    session.create()
    people[name] = session.session_key
for number, user_agent in enumerate(BROWSERS[1:], start=1):
    session = SessionStore()
    session[SESSION_KEY] = str(User.objects.get(username="operator").pk)
    session[SIGN_IN] = sign_in(user_agent, f"2001:db8:85a3:8d3:1319:8a2e:370:734{number}")
    session.create()
SignInLink.objects.create(
    token_hash=hashlib.sha256(b"alice-link").hexdigest(),
    user=ensure_account("alice", can_trigger=True),
    expires_at=timezone.now() + timedelta(days=1),
)
print(json.dumps(people))
"""


def attempt(number: int, state: str, outcome: str, **fields: Any) -> dict[str, Any]:
    """The ``number``-th one: each a minute after the one before, each answered within a second."""
    sent_at = at(number)
    return {
        "key": f"00000000-0000-4000-8000-{number:012}",
        "user": "operator",
        "work_order_id": TRIED,
        "state": state,
        "outcome": outcome,
        "created_at": sent_at,
        "sent_at": sent_at,
        "settled_at": None if state == "unconfirmed" else sent_at.replace(":00+", ":00.412+"),
        "was_sent": True,
        "known_run_ids": [],
        "run_source": "response" if "run_id" in fields else "",
    } | fields


ATTEMPTS = (
    *(attempt(number, "pending", "NETWORK_ERROR", user="alice") for number in range(1, 4)),
    attempt(4, "started", "started", run_id="run-tried42-1", run_number=1, user="alice"),
    attempt(5, "pending", "RUN_ALREADY_ACTIVE", api_request_id="req-5"),
    attempt(6, "pending", "VALIDATION_ERROR", max_iterations=100, profile_name="careful"),
    attempt(7, "pending", "CHANGED"),
    attempt(8, "pending", "SOMETHING_ONLY_THIS_API_KNOWS", api_request_id="req-8-" + "f" * 32),
    attempt(9, "unresolved", "NETWORK_ERROR", user="alice"),
    attempt(10, "started", "queued", run_id="run-tried42-2", run_number=2, queue_position=3),
    attempt(11, "started", "started", run_id="run-tried42-provisional"),
    attempt(
        12,
        "started",
        "started",
        run_id="run-tried42-3",
        run_number=3,
        max_iterations=7,
        profile_name="careful",
        api_request_id="req-12",
        earlier=[
            {"sent_at": at(11), "outcome": "RATE_LIMITED", "api_request_id": "req-11"},
            {"sent_at": at(12), "outcome": "NETWORK_ERROR"},
        ],
    ),
    attempt(13, "unconfirmed", "NETWORK_ERROR"),
    attempt(31, "started", "started", work_order_id="ghost7", run_id=NEVER_APPEARED),
    attempt(30, "started", "started", work_order_id="twins7", run_id=ONE_OF_SEVERAL),
    attempt(
        40,
        "started",
        "started",
        work_order_id="rtl7",
        run_id="run-rtl7-1",
        run_number=1,
        profile_name="זהיר",
        user="דנה",
    ),
    attempt(77, "unresolved", "NETWORK_ERROR", work_order_id="lost7"),
)


def seed(product: Product) -> dict[str, str]:
    """Write all of it down; the key of a session by the name of its user."""
    script = _SCRIPT % json.dumps(ATTEMPTS)
    printed = product.manage("shell", "--no-imports", "-c", script)
    sessions: dict[str, str] = json.loads(printed)
    return sessions
