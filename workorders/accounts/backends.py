"""The authentication backend: it reads all permissions of a user in one database query."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Model, Q


class OneQueryBackend(ModelBackend):
    """Django's own accounts, with one query for permissions.

    Django reads the user's own permissions and those of the user's groups in two queries, on
    every page. This backend combines them.
    """

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        """Permissions as ``"app_label.codename"``, cached on ``user_obj`` for the request.

        The set is empty for inactive and anonymous users, and whenever ``obj`` is given:
        there are no permissions on single objects.
        """
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if not hasattr(user_obj, "all_permissions"):
            of_groups = Permission.objects.filter(group__user=user_obj)
            own = Permission.objects.filter(user=user_obj)
            granted = Permission.objects.filter(
                Q(pk__in=own.values("pk")) | Q(pk__in=of_groups.values("pk"))
            )
            names = granted.order_by().values_list("content_type__app_label", "codename")
            user_obj.all_permissions = {f"{app}.{name}" for app, name in names}
        permissions: set[str] = user_obj.all_permissions
        return permissions
