"""Accounts of the people who use the dashboard, and their roles: operator or viewer."""

from collections.abc import Iterable
from itertools import chain, count

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, transaction

from workorders.accounts.models import ProviderIdentity
from workorders.attempts.permissions import TRIGGER_PERMISSION

MAX_NAME = 140
"""Maximum length of a name from a provider or a proxy, in characters. A number may be appended;
Django limits user names to 150 characters."""
NOT_FOR_YOU = "Your account may not use this dashboard. Ask the person who runs this dashboard."
OPERATOR = "operator"


def set_role(user: User, *, can_trigger: bool) -> None:
    """Make ``user`` an operator, who may trigger runs, or a viewer, who may only look."""
    app_label, codename = TRIGGER_PERMISSION.split(".")
    permission = Permission.objects.get(content_type__app_label=app_label, codename=codename)
    change = user.user_permissions.add if can_trigger else user.user_permissions.remove
    change(permission)


def ensure_account(username: str, *, can_trigger: bool) -> User:
    """Return the account with this user name; create one without a password if there is none.

    ``can_trigger`` applies to a new account only: an existing account keeps its permissions.
    """
    user, created = User.objects.get_or_create(username=username)
    if created:
        user.set_unusable_password()
        user.save()
        set_role(user, can_trigger=can_trigger)
    return user


def ensure_operator() -> User:
    """Return the account "operator", which a new installation starts with."""
    return ensure_account(OPERATOR, can_trigger=True)


def role_of_groups(groups: Iterable[str]) -> bool | None:
    """The role of a member of these groups.

    Returns ``True`` for an operator, ``False`` for a viewer, and ``None`` for a person who may not
    use the dashboard. If ``VIEWER_GROUPS`` is empty, everybody whom a provider or a proxy has
    signed in is at least a viewer.
    """
    member_of = set(groups)
    if member_of & settings.OPERATOR_GROUPS:
        return True
    return False if not settings.VIEWER_GROUPS or member_of & settings.VIEWER_GROUPS else None


def update_role(user: User, groups: Iterable[str]) -> bool:
    """Give ``user`` the role that follows from ``groups``.

    If ``OPERATOR_GROUPS`` is empty, groups do not decide who is an operator: the role that was set
    in the dashboard stays.

    Returns whether the person may sign in: the account is active and has a role.
    """
    can_trigger = role_of_groups(groups)
    if settings.OPERATOR_GROUPS:
        set_role(user, can_trigger=bool(can_trigger))
    return user.is_active and can_trigger is not None


def account_of_subject(issuer: str, subject: str, name: str) -> User:
    """Return the account of a person at an OpenID Connect provider; create one the first time.

    A new account is a viewer. It never takes over an existing account of the same name: a second
    "alice" becomes "alice-2".

    Args:
        issuer: the provider's issuer URL.
        subject: the claim ``sub``, which identifies the person at this provider.
        name: the wanted user name.
    """
    try:
        return _known_or_new(issuer, subject, name)
    except IntegrityError:
        # A simultaneous request has just taken the name or created the identity. The second try
        # finds what that request has stored.
        return _known_or_new(issuer, subject, name)


def _known_or_new(issuer: str, subject: str, name: str) -> User:
    known = ProviderIdentity.objects.filter(issuer=issuer, subject=subject)
    if identity := known.select_related("user").first():
        return identity.user
    free = _free_name(name)
    with transaction.atomic():
        # create_user fails for an existing name. get_or_create would return somebody else's.
        user = User.objects.create_user(free)
        ProviderIdentity.objects.create(issuer=issuer, subject=subject, user=user)
    return user


def _free_name(name: str) -> str:
    """``name`` without unprintable characters, with "-2", "-3" … appended if it is taken."""
    printable = "".join(letter for letter in name if letter.isprintable())
    shown = User.normalize_username(printable)[:MAX_NAME] or "somebody"
    for candidate in chain([shown], (f"{shown}-{number}" for number in count(2))):
        if not User.objects.filter(username__iexact=candidate).exists():
            return candidate
    raise AssertionError  # unreachable: count() is infinite
