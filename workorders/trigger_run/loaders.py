"""What the trigger dialog shows, read from the runs API."""

from dataclasses import dataclass

from workorders.availability import (
    Availability,
    trigger_availability,
)
from workorders.error_table import ERROR_TABLE
from workorders.errors import RunsAPIError
from workorders.runs_api.client import RunsClient
from workorders.runs_api.concurrency import run_both
from workorders.runs_api.schemas import Profile, WorkOrder


@dataclass(frozen=True, slots=True)
class TriggerDialog:
    """What the dialog shows before a run is started."""

    work_order: WorkOrder
    availability: Availability
    profiles: tuple[Profile, ...]
    lacks_profiles: bool = False
    """There may be some: they could not be loaded."""

    @property
    def profile_in_force(self) -> Profile | None:
        name = self.work_order.profile_name or "default"
        return next((profile for profile in self.profiles if profile.name == name), None)

    @property
    def blocked_message(self) -> str:
        blocked_reason = self.availability.blocked_reason
        return ERROR_TABLE[blocked_reason.value].message if blocked_reason else ""


def load_trigger_dialog(client: RunsClient, work_order_id: str) -> TriggerDialog:
    work_order, (profiles, lacks_profiles) = run_both(
        lambda: client.get_work_order(work_order_id), lambda: _read_profiles(client)
    )
    return TriggerDialog(work_order, trigger_availability(work_order), profiles, lacks_profiles)


def _read_profiles(client: RunsClient) -> tuple[tuple[Profile, ...], bool]:
    """And whether there may be some that could not be loaded."""
    try:
        return client.list_profiles(), False
    except RunsAPIError as error:
        return (), error.code != "NOT_FOUND"
