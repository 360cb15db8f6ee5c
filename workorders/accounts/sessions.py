"""Sessions with a column for their user, so that a user's sessions can be listed and ended.

``SESSION_ENGINE`` names this module. It follows Django's documentation: topics/http/sessions,
"Extending database-backed session engines".
"""

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from typing import Any, Self

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.http import HttpRequest
from django.utils import timezone

from workorders.accounts.client_address import client_address
from workorders.accounts.models import Session, SignInLink

SIGN_IN = "sign_in"
"""Session key of the sign-in: ``{"at": ISO 8601 timestamp in UTC, "user_agent": the header, at most
300 characters, "address": IP address, or "" if unknown}``."""

# Text in the User-Agent header, and the name to show. The order matters: a browser's header also
# contains the texts of browsers further down, for example Edge's contains "Chrome" and "Safari".
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


class SessionStore(DatabaseSessionStore):
    """Django's database store, which also saves the ID of the signed-in user in ``user``."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = super().create_model_instance(data)
        assert isinstance(row, Session)  # noqa: S101 (see get_model_class)
        row.user_id = data.get(SESSION_KEY)
        return row


@dataclass(frozen=True)
class SignedInBrowser:
    """One session of a user, as the account page shows it."""

    id: str
    """The first 32 hexadecimal digits of the SHA-256 of the session key. The key itself must not
    appear in pages: it would let anybody take over the session."""
    signed_in_at: dt.datetime
    browser: str
    """The result of ``browser_words``, such as "Firefox on Linux"."""
    address: str
    is_current: bool = False
    """Whether this session belongs to the request that lists the sessions."""

    @classmethod
    def of(cls, row: Session, *, current: bool = False) -> Self:
        known = {"at": "1970-01-01T00:00:00+00:00"} | row.get_decoded().get(SIGN_IN, {})
        return cls(
            id=hashlib.sha256(row.session_key.encode()).hexdigest()[:32],
            signed_in_at=dt.datetime.fromisoformat(known["at"]),
            browser=browser_words(known.get("user_agent", "")),
            address=known.get("address", ""),
            is_current=current,
        )


def note_sign_in(*, request: HttpRequest, **_: object) -> None:
    """Receiver of ``user_logged_in``: store when and from where the user signed in."""
    request.session[SIGN_IN] = {
        "at": timezone.now().isoformat(),
        "user_agent": request.headers.get("User-Agent", "")[:300],
        "address": client_address(request),
    }


def sessions_of(user: User, *, current: str | None) -> list[SignedInBrowser]:
    """Every session of ``user`` that has not expired, newest first.

    The session with the key ``current`` comes before all others.
    """
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now())
    found = [SignedInBrowser.of(row, current=row.session_key == current) for row in rows]
    return sorted(found, key=lambda each: (each.is_current, each.signed_in_at), reverse=True)


def end_session(user: User, session_id: str) -> None:
    """Sign ``user`` out in the browser with this ``SignedInBrowser.id``.

    An ID without a session of this user has no effect: that session has already ended.
    """
    for row in Session.objects.filter(user=user):
        if SignedInBrowser.of(row).id == session_id:
            row.delete()


def end_other_sessions(user: User, *, current: str | None) -> None:
    """End all sessions of ``user`` except the session with the key ``current``."""
    Session.objects.filter(user=user).exclude(session_key=current).delete()


def end_sessions(user: User) -> int:
    """Sign ``user`` out everywhere and delete the user's sign-in links.

    Returns the number of sessions that were ended.
    """
    SignInLink.objects.filter(user=user).delete()
    ended, _ = Session.objects.filter(user=user).delete()
    return ended


def browser_words(user_agent: str) -> str:
    """Describe a User-Agent header, such as "Firefox on Linux".

    An unknown system is left out. For an unknown browser, the result is the first 60 printable
    ASCII characters of the header, or "Unknown browser" if there are none.
    """
    browser = next((words for sign, words in BROWSERS if sign in user_agent), "")
    system = next((words for sign, words in SYSTEMS if sign in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or re.sub(r"[^ -~]", "", user_agent)[:60] or "Unknown browser"
