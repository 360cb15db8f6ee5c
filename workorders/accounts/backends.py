"""How accounts are asked for what their people may do."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Model, Q


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
