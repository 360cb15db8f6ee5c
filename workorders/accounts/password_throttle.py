"""Limits on password attempts: by account, by address, and for one account from one address.

A conditional update counts each attempt before the password is hashed. Simultaneous attempts can
therefore never exceed the limit, and a refused attempt costs a read instead of a hash. A correct
password takes its attempt back.

The limits of an account and of an address are wider (``WIDER``). Otherwise an anonymous user
could easily lock another person's account, and colleagues behind one router, who share an
address, would lock each other out.
"""

import datetime as dt
import hashlib
import logging
import math
import unicodedata
from ipaddress import IPv6Network, ip_address

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from workorders.accounts.models import PasswordThrottle

logger = logging.getLogger(__name__)

WIDER = 10
"""Factor on ``PASSWORD_ATTEMPTS`` for an account from all addresses, and for an address with all
accounts."""
MAX_USERNAME_LENGTH = 150
"""Number of characters of a typed user name that are counted and logged. Django allows no longer
user name."""


class PasswordAttempt:
    """One submitted sign-in form.

    Call ``seconds_to_wait`` once. If the result is 0, check the password and call ``failed`` or
    ``succeeded``.
    """

    def __init__(self, username: str, address: str) -> None:
        self.username = username.strip()[:MAX_USERNAME_LENGTH]
        self._address = address
        account, network = _account(self.username), _network(address)
        limit = settings.PASSWORD_ATTEMPTS
        # The address comes first: a locked address must not create rows for invented names.
        self._limits = {
            _key("address", network): limit * WIDER,
            _key("account", account): limit * WIDER,
            _key("both", account, network): limit,
        }

    def seconds_to_wait(self) -> int:
        """Return 0 and count the attempt, or return the seconds until the lock ends."""
        counted: list[str] = []
        for key, limit in self._limits.items():
            if wait := _count(key, limit):
                _take_back(counted)
                return wait
            counted.append(key)
        return 0

    def failed(self) -> None:
        """Log the failure. The attempt stays counted."""
        self._warn("Sign-in failed: wrong user name or password")
        # Only the attempt that reaches the limit logs the lock; refused attempts do not.
        for row in PasswordThrottle.objects.filter(pk__in=self._limits):
            if row.attempts == self._limits[row.pk]:
                self._warn(f"Sign-in locked until {row.ends_at:%H:%M:%S} UTC: too many failures")

    def succeeded(self) -> None:
        """Forget all attempts for this account from this address, and take back this attempt
        from the counts of the account and of the address."""
        *wider, both = self._limits
        PasswordThrottle.objects.filter(pk=both).delete()
        _take_back(wider)

    def _warn(self, event: str) -> None:
        fields = {"account": self.username, "address": self._address or "unknown"}
        logger.warning("%s, account %s, address %s", event, *fields.values(), extra=fields)


def _count(key: str, limit: int) -> int:
    """Count one more attempt and return 0, or return the seconds (1 or more) until the lock of
    ``key`` ends."""
    now = timezone.now()
    row = PasswordThrottle.objects.filter(pk=key, ends_at__gt=now).first() or _open_window(key, now)
    if row.attempts < limit:
        open_rows = PasswordThrottle.objects.filter(pk=key, attempts__lt=limit)
        if open_rows.update(attempts=F("attempts") + 1):
            return 0
    return max(1, math.ceil((row.ends_at - now).total_seconds()))


def _open_window(key: str, now: dt.datetime) -> PasswordThrottle:
    """Start to count for ``key``. Simultaneous callers get the same row."""
    PasswordThrottle.objects.filter(ends_at__lte=now).delete()
    ends_at = now + dt.timedelta(minutes=settings.PASSWORD_LOCK_MINUTES)
    row, _ = PasswordThrottle.objects.get_or_create(pk=key, defaults={"ends_at": ends_at})
    return row


def _take_back(keys: list[str]) -> None:
    rows = PasswordThrottle.objects.filter(pk__in=keys, attempts__gt=0)
    rows.update(attempts=F("attempts") - 1)


def _key(*parts: str) -> str:
    """A key of fixed length. Typed names are stored as a hash only."""
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def _account(username: str) -> str:
    """Normalize a typed user name, so that its spellings share one count.

    The sign-in form strips and normalizes user names as well.
    """
    return unicodedata.normalize("NFKC", username).casefold()


def _network(address: str) -> str:
    """Return an IPv4 address as it is, and the /64 network of an IPv6 address.

    One household or server usually has a whole /64, and could use a new address each time.
    """
    if ":" not in address:
        return address
    return str(IPv6Network((int(ip_address(address.partition("%")[0])), 64), strict=False))
