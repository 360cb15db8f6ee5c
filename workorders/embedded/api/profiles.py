"""Read-only endpoints for the profiles. Commands are never part of a response."""

from django.http import HttpRequest

from workorders.embedded.api import serializers
from workorders.embedded.api.responses import ApiResponse, not_found, success
from workorders.embedded.profiles import load_profiles


def list_profiles(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    """All profiles, in the order of the profiles file: ``{"items": [profile, …], "total"}``."""
    items = [serializers.profile_item(profile) for profile in load_profiles().values()]
    return success({"items": items, "total": len(items)})


def show_profile(request: HttpRequest, name: str) -> ApiResponse:  # noqa: ARG001
    """One profile with its limits. Raises ``ApiError`` (404) for an unknown name."""
    profile = load_profiles().get(name)
    if profile is None:
        raise not_found(f"Profile not found: {name}")
    return success(serializers.profile_detail(profile))
