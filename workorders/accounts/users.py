"""The accounts of the people who use the dashboard, and what each of them may do."""

from django.contrib.auth.models import Permission, User

OPERATOR = "operator"
TRIGGER_PERMISSION = "workorders.trigger_run"


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
