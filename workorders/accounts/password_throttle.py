"""How many passwords may be tried: by account, by address, and for one account from one address.

Each attempt is counted before its password is hashed, by a conditional update, and given back
when the password was right. So of any number of simultaneous attempts no more than the limit are
tried, and a locked one costs a read and no hash. A whole account and a whole address have wider
limits, because a stranger can use up the one, and colleagues behind one router share the other.
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
"""How many times ``PASSWORD_ATTEMPTS`` a whole account or a whole address has."""
SHOWN = 150
"""Characters of a typed name that are logged; no account has a longer one."""


class PasswordAttempt:
    """One sent sign-in form. Ask ``seconds_to_wait`` once, then call one of the others."""

    def __init__(self, username: str, address: str) -> None:
        self.username = username.strip()[:SHOWN]
        self._address = address
        account, network = _account(self.username), _network(address)
        limit = settings.PASSWORD_ATTEMPTS
        # In this order: whose address is locked makes no rows for names that are made up.
        self._limits = {
            _key("address", network): limit * WIDER,
            _key("account", account): limit * WIDER,
            _key("both", account, network): limit,
        }

    def seconds_to_wait(self) -> int:
        """Until the password may be tried; 0: now, and the attempt is counted."""
        counted: list[str] = []
        for key, limit in self._limits.items():
            if wait := _count(key, limit):
                _give_back(counted)
                return wait
            counted.append(key)
        return 0

    def failed(self) -> None:
        self._warn("Sign-in failed: wrong user name or password")
        # Said once, by the attempt that has reached the limit, and not by each that is refused.
        for row in PasswordThrottle.objects.filter(pk__in=self._limits):
            if row.attempts == self._limits[row.pk]:
                self._warn(f"Sign-in locked until {row.ends_at:%H:%M:%S} UTC: too many failures")

    def succeeded(self) -> None:
        """The person is there: nothing counts any more that was tried for both."""
        *wider, both = self._limits
        PasswordThrottle.objects.filter(pk=both).delete()
        _give_back(wider)

    def _warn(self, what: str) -> None:
        named = {"account": self.username, "address": self._address or "unknown"}
        logger.warning("%s, account %s, address %s", what, *named.values(), extra=named)


def _count(key: str, limit: int) -> int:
    """0, and one attempt more is counted; or the seconds until the key is unlocked."""
    now = timezone.now()
    row = PasswordThrottle.objects.filter(pk=key, ends_at__gt=now).first() or _begin(key, now)
    if row.attempts < limit:
        open_rows = PasswordThrottle.objects.filter(pk=key, attempts__lt=limit)
        if open_rows.update(attempts=F("attempts") + 1):
            return 0
    return max(1, math.ceil((row.ends_at - now).total_seconds()))


def _begin(key: str, now: dt.datetime) -> PasswordThrottle:
    """A new window; whoever comes second finds that of the first."""
    PasswordThrottle.objects.filter(ends_at__lte=now).delete()
    ends_at = now + dt.timedelta(minutes=settings.PASSWORD_LOCK_MINUTES)
    row, _ = PasswordThrottle.objects.get_or_create(pk=key, defaults={"ends_at": ends_at})
    return row


def _give_back(keys: list[str]) -> None:
    rows = PasswordThrottle.objects.filter(pk__in=keys, attempts__gt=0)
    rows.update(attempts=F("attempts") - 1)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def _account(username: str) -> str:
    """One key for all that is typed for an account: the sign-in form strips and normalizes too."""
    return unicodedata.normalize("NFKC", username).casefold()


def _network(address: str) -> str:
    """One person has a whole IPv6 network of 64 bits."""
    if ":" not in address:
        return address
    return str(IPv6Network((int(ip_address(address.partition("%")[0])), 64), strict=False))
