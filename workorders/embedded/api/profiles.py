"""Read-only endpoints for the profiles. Commands are never part of a response."""

from django.http import HttpRequest

from workorders.embedded.api import serializers
from workorders.embedded.api.operations import NOT_FOUND, Operation
from workorders.embedded.api.responses import ApiResponse, not_found, success
from workorders.embedded.api.schemas import ProfileDetail, ProfileList
from workorders.embedded.profiles import load_profiles


@Operation(
    tag="profiles",
    summary="The profiles; their commands stay on the server",
    returns=ProfileList,
    says="All of them, in the order of the profiles file.",
)
def list_profiles(request: HttpRequest) -> ApiResponse:  # noqa: ARG001
    items = [serializers.profile_item(profile) for profile in load_profiles().values()]
    profiles: ProfileList = {"items": items, "total": len(items)}
    return success(profiles)


@Operation(
    tag="profiles",
    summary="A profile",
    returns=ProfileDetail,
    says="The profile.",
    refusals=(NOT_FOUND,),
)
def show_profile(request: HttpRequest, name: str) -> ApiResponse:  # noqa: ARG001
    profile = load_profiles().get(name)
    if profile is None:
        raise not_found(f"Profile not found: {name}")
    return success(serializers.profile_detail(profile))
