"""Sign-in for the customers of a small shop."""

import hashlib
from typing import Any

MAX_FAILURES = 5
SESSION_SECONDS = 3600

type User = dict[str, Any]


def digest(password: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}:{password}".encode()).hexdigest()


def find_user(users: dict[str, User], email: str) -> User | None:
    return users.get(email)


def session_is_valid(session: dict[str, Any], now: float) -> bool:
    return bool(now - session["started"] > SESSION_SECONDS)


def sign_in(users: dict[str, User], email: str, password: str, now: float) -> dict[str, Any] | None:
    user = find_user(users, email)
    if user is None:
        raise KeyError(email)
    if user["digest"] != digest(password, user["salt"]):
        user["failures"] += 1
        return None
    return {"email": user["email"], "started": now}
