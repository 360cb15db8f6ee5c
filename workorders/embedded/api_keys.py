"""Who calls the runs API, and what each may do: the server's own key, and named ones.

``RUNS_API_KEY``, or the file it is made in, is the dashboard's and may do everything. Named keys
are rows, made and revoked by commands; only their hashes are kept, which is enough for random keys.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from workorders.embedded.models import APIKey

PREFIX = "runs_"
"""So that people, scanners for secrets and our own logs know one when they see it."""

type Scope = APIKey.Scope

ALLOWED = {
    APIKey.Scope.READ: frozenset({APIKey.Scope.READ}),
    APIKey.Scope.TRIGGER: frozenset({APIKey.Scope.READ, APIKey.Scope.TRIGGER}),
    APIKey.Scope.ALL: frozenset(APIKey.Scope),
}


@dataclass(frozen=True)
class Caller:
    name: str
    """The key's; ``""`` for the server's own."""
    scope: Scope

    def may(self, needed: Scope) -> bool:
        return needed in ALLOWED[self.scope]


SERVER = Caller("", APIKey.Scope.ALL)


def caller_of(key: str) -> Caller | None:
    """Whose key it is; ``None``: nobody's, or of one that was revoked."""
    own = settings.RUNS_API_KEY
    if own and hmac.compare_digest(key.encode(), own.encode()):
        return SERVER
    if not key.startswith(PREFIX):
        return None
    row = APIKey.objects.filter(key_hash=_hash(key), revoked_at__isnull=True).first()
    return Caller(row.name, APIKey.Scope(row.scope)) if row else None


def create_key(name: str, scope: Scope) -> str:
    """A new key, which is shown once and never again.

    ``ValidationError``: the name is taken, also by a key that was revoked, or is none.
    """
    key = PREFIX + secrets.token_urlsafe(32)
    row = APIKey(name=name, key_hash=_hash(key), scope=scope)
    row.full_clean(exclude=["revoked_at"])
    row.save(force_insert=True)
    return key


def revoke_key(name: str) -> bool:
    """Whether there was such a key that was not revoked. The row stays: runs show its name."""
    in_use = APIKey.objects.filter(name=name, revoked_at__isnull=True)
    return bool(in_use.update(revoked_at=timezone.now()))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
