"""The accounts of the people who use the dashboard, and what each of them may do."""

from collections.abc import Iterable
from itertools import chain, count

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, transaction

from workorders.accounts.models import ProviderIdentity
from workorders.attempts.permissions import TRIGGER_PERMISSION

MAX_NAME = 140
"""Characters; with a number behind it no more than an account's name has."""
NOT_FOR_YOU = "Your account may not use this dashboard. Ask the person who runs this dashboard."
OPERATOR = "operator"


def set_role(user: User, *, can_trigger: bool) -> None:
    """Make ``user`` an operator, who may trigger runs, or a viewer, who may look at everything."""
    app_label, codename = TRIGGER_PERMISSION.split(".")
    permission = Permission.objects.get(content_type__app_label=app_label, codename=codename)
    change = user.user_permissions.add if can_trigger else user.user_permissions.remove
    change(permission)


def ensure_account(username: str, *, can_trigger: bool) -> User:
    """The account of that name, made without a password when there is none.

    Permissions of an account that exists are left as they are.
    """
    user, created = User.objects.get_or_create(username=username)
    if created:
        user.set_unusable_password()
        user.save()
        set_role(user, can_trigger=can_trigger)
    return user


def ensure_operator() -> User:
    """The account the product starts with."""
    return ensure_account(OPERATOR, can_trigger=True)


def role_of_groups(groups: Iterable[str]) -> bool | None:
    """Whether members of these groups may trigger runs; ``None``: they may not even look.

    Without ``VIEWER_GROUPS`` everybody may look whom a provider or a proxy lets in.
    """
    member_of = set(groups)
    if member_of & settings.OPERATOR_GROUPS:
        return True
    return False if not settings.VIEWER_GROUPS or member_of & settings.VIEWER_GROUPS else None


def update_role(user: User, groups: Iterable[str]) -> bool:
    """Give ``user`` the role of the groups; whether that lets the person in.

    Without ``OPERATOR_GROUPS`` nobody is told apart by groups: roles stay as they were set here.
    """
    can_trigger = role_of_groups(groups)
    if settings.OPERATOR_GROUPS:
        set_role(user, can_trigger=bool(can_trigger))
    return user.is_active and can_trigger is not None


def account_of_subject(issuer: str, subject: str, name: str) -> User:
    """The account of a provider's person, made as a viewer the first time.

    A name that another account has is taken by nobody: "alice" becomes "alice-2".
    """
    try:
        return _known_or_new(issuer, subject, name)
    except IntegrityError:
        # The name, or the subject, came at the same moment by another way: now it is known.
        return _known_or_new(issuer, subject, name)


def _known_or_new(issuer: str, subject: str, name: str) -> User:
    known = ProviderIdentity.objects.filter(issuer=issuer, subject=subject)
    if identity := known.select_related("user").first():
        return identity.user
    free = _free_name(name)
    with transaction.atomic():
        user = User.objects.create_user(free)  # made, never got: one that is there is another's
        ProviderIdentity.objects.create(issuer=issuer, subject=subject, user=user)
    return user


def _free_name(name: str) -> str:
    printable = "".join(letter for letter in name if letter.isprintable())
    shown = User.normalize_username(printable)[:MAX_NAME] or "somebody"
    for candidate in chain([shown], (f"{shown}-{number}" for number in count(2))):
        if not User.objects.filter(username__iexact=candidate).exists():
            return candidate
    raise AssertionError  # the numbers do not end
