"""The keys of the runs API: the server's own key and named keys, and what each key may do.

The setting ``RUNS_API_KEY`` holds the key that the dashboard uses. This key may do everything.
Named keys are database rows that commands create and revoke. Only the SHA-256 hash of a named
key is stored. A plain hash is enough, because the keys are long random strings.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from workorders.embedded.models import APIKey

PREFIX = "runs_"
"""Every named key begins with this prefix, so that people, secret scanners and the product's log
redaction recognize a key when they see one."""

type Scope = APIKey.Scope

ALLOWED = {
    APIKey.Scope.READ: frozenset({APIKey.Scope.READ}),
    APIKey.Scope.TRIGGER: frozenset({APIKey.Scope.READ, APIKey.Scope.TRIGGER}),
    APIKey.Scope.ALL: frozenset(APIKey.Scope),
}


@dataclass(frozen=True)
class Caller:
    """The owner of the API key that came with a request."""

    name: str
    """The name of the key; ``""`` for the server's own key."""
    scope: Scope

    def may(self, needed: Scope) -> bool:
        """Whether the key's scope includes the scope ``needed``."""
        return needed in ALLOWED[self.scope]


SERVER = Caller("", APIKey.Scope.ALL)


def caller_of(key: str) -> Caller | None:
    """The caller to whom the key belongs; None if the key is unknown or revoked."""
    own = settings.RUNS_API_KEY
    if own and hmac.compare_digest(key.encode(), own.encode()):
        return SERVER
    if not key.startswith(PREFIX):
        return None
    row = APIKey.objects.filter(key_hash=_hash(key), revoked_at__isnull=True).first()
    return Caller(row.name, APIKey.Scope(row.scope)) if row else None


def create_key(name: str, scope: Scope) -> str:
    """Store a new key and return its plain text, which cannot be read again later.

    Raises:
        ValidationError: the name is invalid, or a key with this name exists. A revoked key
            counts as well, because runs still show its name.
    """
    key = PREFIX + secrets.token_urlsafe(32)
    row = APIKey(name=name, key_hash=_hash(key), scope=scope)
    row.full_clean(exclude=["revoked_at"])
    row.save(force_insert=True)
    return key


def revoke_key(name: str) -> bool:
    """Revoke a named key; False if no key in use has this name.

    The row is kept, because runs show the name of the key that triggered them.
    """
    in_use = APIKey.objects.filter(name=name, revoked_at__isnull=True)
    return bool(in_use.update(revoked_at=timezone.now()))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
