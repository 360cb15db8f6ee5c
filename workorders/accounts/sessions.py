"""Sessions that know whose they are, so that a person's can be listed and ended.

``SESSION_ENGINE`` names this module; how a session is made its own is Django's
documented way (topics/http/sessions, "Extending database-backed session engines").
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
"""In the session's data: ``{"at": ISO 8601, "user_agent": str, "address": str}``."""

BROWSERS = (  # in this order: each names itself after the ones below it, too
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
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = super().create_model_instance(data)
        assert isinstance(row, Session)  # noqa: S101 (what get_model_class says)
        row.user_id = data.get(SESSION_KEY)
        return row


@dataclass(frozen=True)
class SignedInBrowser:
    """One session of a person, as the page of sessions shows it."""

    id: str
    """A hash of the session's key, which is as good as a password and stays out of pages."""
    signed_in_at: dt.datetime
    browser: str
    """ "Firefox on Linux", or what the browser says of itself."""
    address: str
    is_current: bool = False
    """Whether it is the browser that looks."""

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
    """Receiver of ``user_logged_in``: where and when this session began."""
    request.session[SIGN_IN] = {
        "at": timezone.now().isoformat(),
        "user_agent": request.headers.get("User-Agent", "")[:300],
        "address": client_address(request),
    }


def sessions_of(user: User, *, current: str | None) -> list[SignedInBrowser]:
    """Every browser in which ``user`` is signed in: that of ``current``, a key, first."""
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now())
    found = [SignedInBrowser.of(row, current=row.session_key == current) for row in rows]
    return sorted(found, key=lambda each: (each.is_current, each.signed_in_at), reverse=True)


def end_session(user: User, session_id: str) -> None:
    """Sign ``user`` out in one browser; without effect where that has happened already."""
    for row in Session.objects.filter(user=user):
        if SignedInBrowser.of(row).id == session_id:
            row.delete()


def end_other_sessions(user: User, *, current: str | None) -> None:
    Session.objects.filter(user=user).exclude(session_key=current).delete()


def end_sessions(user: User) -> int:
    """Sign ``user`` out everywhere, and make links that were not used yet worthless."""
    SignInLink.objects.filter(user=user).delete()
    ended, _ = Session.objects.filter(user=user).delete()
    return ended


def browser_words(user_agent: str) -> str:
    browser = next((words for sign, words in BROWSERS if sign in user_agent), "")
    system = next((words for sign, words in SYSTEMS if sign in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or re.sub(r"[^ -~]", "", user_agent)[:60] or "Unknown browser"
