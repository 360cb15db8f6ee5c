"""Links that sign one person in, once and for some minutes.

A link is opened by a GET, which changes nothing: previews of chat programs and
mail scanners open links too. Signing in is a POST from the page it shows.
"""

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from workorders.accounts.models import SignInLink

KEPT = dt.timedelta(days=1)
"""How long a link is remembered after its time."""


def sign_in_path(user: User) -> str:
    """The path of a new link that signs ``user`` in once, for ``SIGN_IN_LINK_MINUTES``."""
    now = timezone.now()
    SignInLink.objects.filter(expires_at__lt=now - KEPT).delete()
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(
        token_hash=_hash(token),
        user=user,
        expires_at=now + dt.timedelta(minutes=settings.SIGN_IN_LINK_MINUTES),
    )
    return reverse("sign_in_by_link", args=[token])


def user_of_link(token: str) -> User | None:
    """Whom a link would sign in; ``None`` when it is used, too old or made up."""
    link = SignInLink.objects.valid().filter(token_hash=_hash(token)).select_related("user").first()
    return link.user if link else None


def use_link(token: str) -> User | None:
    """Whom the link signs in; it is used up. Of any simultaneous uses exactly one gets the user."""
    user = user_of_link(token)
    # A condition on this table alone: PostgreSQL does not ask another one again when an update has
    # waited for that of somebody else.
    unused = SignInLink.objects.filter(token_hash=_hash(token), used_at__isnull=True)
    return user if user and unused.update(used_at=timezone.now()) else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
