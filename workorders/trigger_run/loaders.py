"""Reads from the runs API what the trigger dialog shows."""

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
    """Whether the profiles could not be loaded, so that ``profiles`` is empty."""

    @property
    def profile_in_force(self) -> Profile | None:
        """The profile that applies when none is chosen; ``None`` when it is not listed."""
        name = self.work_order.profile_name or "default"
        return next((profile for profile in self.profiles if profile.name == name), None)

    @property
    def blocked_message(self) -> str:
        """Why no run can be started now; empty when a run can be started."""
        blocked_reason = self.availability.blocked_reason
        return ERROR_TABLE[blocked_reason.value].message if blocked_reason else ""


def load_trigger_dialog(client: RunsClient, work_order_id: str) -> TriggerDialog:
    """Read the work order and the profiles in parallel.

    Raises:
        RunsAPIError: the work order cannot be read. Profiles that cannot be read raise nothing.
    """
    work_order, (profiles, lacks_profiles) = run_both(
        lambda: client.get_work_order(work_order_id), lambda: _read_profiles(client)
    )
    return TriggerDialog(work_order, trigger_availability(work_order), profiles, lacks_profiles)


def _read_profiles(client: RunsClient) -> tuple[tuple[Profile, ...], bool]:
    """The profiles, and whether they could not be loaded. An API without profiles has none."""
    try:
        return client.list_profiles(), False
    except RunsAPIError as error:
        return (), error.code != "NOT_FOUND"
