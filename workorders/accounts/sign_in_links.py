"""Links that sign one person in once, and expire after some minutes.

Opening a link is a GET and changes nothing, because link previews in chat programs and mail
scanners open links too. The page behind the link signs the person in by a POST.

The token in a link is 32 random bytes in URL-safe base64. Only its SHA-256 is stored.
"""

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from workorders.accounts.models import SignInLink

RETENTION = dt.timedelta(days=1)
"""How long the row of an expired link is kept."""


def sign_in_path(user: User) -> str:
    """Create a link that signs ``user`` in once, and return its path.

    The link is valid for ``SIGN_IN_LINK_MINUTES`` minutes. Rows of links that expired long ago are
    deleted.
    """
    now = timezone.now()
    SignInLink.objects.filter(expires_at__lt=now - RETENTION).delete()
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(
        token_hash=_hash(token),
        user=user,
        expires_at=now + dt.timedelta(minutes=settings.SIGN_IN_LINK_MINUTES),
    )
    return reverse("sign_in_by_link", args=[token])


def user_of_link(token: str) -> User | None:
    """The user whom a link would sign in; ``None`` for a used, expired or unknown token."""
    link = SignInLink.objects.valid().filter(token_hash=_hash(token)).select_related("user").first()
    return link.user if link else None


def use_link(token: str) -> User | None:
    """Mark a link as used and return its user; ``None`` where it cannot be used.

    Of simultaneous calls for one link, exactly one gets the user.
    """
    user = user_of_link(token)
    # The condition uses this table alone. When an UPDATE has waited for another transaction,
    # PostgreSQL checks conditions on the updated row again, but not conditions on joined tables.
    unused = SignInLink.objects.filter(token_hash=_hash(token), used_at__isnull=True)
    return user if user and unused.update(used_at=timezone.now()) else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
