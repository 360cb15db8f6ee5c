"""Accounts of the people who use the dashboard, and the links that sign them in."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission, User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db.models import Model, Q
from django.urls import reverse
from django.utils.encoding import force_bytes, force_str
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

OPERATOR = "operator"
TRIGGER_PERMISSION = "workorders.trigger_run"


class SignInTokenGenerator(PasswordResetTokenGenerator):
    """A token that works once: it is made of the last sign-in, which using it changes.

    It also ends when the password changes and after ``PASSWORD_RESET_TIMEOUT``.
    """

    key_salt = "workorders.accounts.sign_in"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        # Django's own value drops the microseconds of the last sign-in, so a link
        # used within the second of another sign-in would work again.
        return f"{super()._make_hash_value(user, timestamp)}{user.last_login}"


sign_in_tokens = SignInTokenGenerator()


class OneQueryBackend(ModelBackend):
    """Django's own accounts; what one may do is asked for at once, where Django asks the
    user and the user's groups one after the other, on every page."""

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if not hasattr(user_obj, "permissions_at_once"):
            of_groups = Permission.objects.filter(group__user=user_obj)
            own = Permission.objects.filter(user=user_obj)
            granted = Permission.objects.filter(
                Q(pk__in=own.values("pk")) | Q(pk__in=of_groups.values("pk"))
            )
            names = granted.order_by().values_list("content_type__app_label", "codename")
            user_obj.permissions_at_once = {f"{app}.{name}" for app, name in names}
        found: set[str] = user_obj.permissions_at_once
        return found


def grant_trigger(user: User) -> None:
    """Let ``user`` trigger runs; without it an account may look at everything."""
    app_label, codename = TRIGGER_PERMISSION.split(".")
    user.user_permissions.add(
        Permission.objects.get(content_type__app_label=app_label, codename=codename)
    )


def ensure_account(username: str, *, can_trigger: bool) -> User:
    """The account of that name, made without a password when there is none.

    Permissions of an account that exists are left as they are.
    """
    user, created = User.objects.get_or_create(username=username)
    if created:
        user.set_unusable_password()
        user.save()
        if can_trigger:
            grant_trigger(user)
    return user


def ensure_operator() -> User:
    """The account the product starts with."""
    return ensure_account(OPERATOR, can_trigger=True)


def sign_in_path(user: User) -> str:
    """The path of a link that signs ``user`` in once."""
    token = f"{urlsafe_base64_encode(force_bytes(user.pk))}.{sign_in_tokens.make_token(user)}"
    return reverse("sign_in_by_link", args=[token])


def user_of_token(token: str) -> User | None:
    """Whom a sign-in token belongs to; ``None`` when it is used, too old or made up."""
    encoded_pk, _, signature = token.partition(".")
    try:
        user = User.objects.get(pk=force_str(urlsafe_base64_decode(encoded_pk)), is_active=True)
    except (ValueError, OverflowError, User.DoesNotExist):
        return None
    return user if sign_in_tokens.check_token(user, signature) else None
