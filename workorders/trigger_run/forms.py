import uuid
from collections.abc import Mapping
from typing import cast

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

from workorders.attempts.models import TriggerAttempt
from workorders.runs_api.schemas import MAX_ITERATIONS_LIMIT, RunOverrides, WorkOrder
from workorders.text.legible import legible
from workorders.trigger_run.loaders import TriggerDialog


class PlainIntegerField(forms.IntegerField):
    """An integer written in digits alone: ``int()`` would also accept ``"1_0"`` and ``"+5"``."""

    def to_python(self, value: object) -> int | None:
        if isinstance(value, str) and value.strip() and not value.strip().isdecimal():
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class TriggerRunForm(forms.Form):
    """The form of the trigger dialog: its idempotency key, what it showed, and Advanced Options.

    The profile is not validated here: the API knows which profiles exist, and reading them on
    every start would cost a second call.
    """

    is_resumed = False
    """Whether the form is shown again because the session had ended when it was sent."""
    was_dropped = False
    """Whether the typed values were lost because they were too long for the address."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    seen = forms.CharField(
        required=False, max_length=300, strip=False, widget=forms.HiddenInput
    )  # WorkOrder.state_token
    max_iterations = PlainIntegerField(
        label="Max Iterations",
        required=False,
        min_value=1,
        max_value=MAX_ITERATIONS_LIMIT,
        error_messages={
            "invalid": f"Enter a whole number from 1 to {MAX_ITERATIONS_LIMIT}.",
            "min_value": f"Enter a whole number from 1 to {MAX_ITERATIONS_LIMIT}.",
            "max_value": f"Enter a whole number from 1 to {MAX_ITERATIONS_LIMIT}.",
        },
        # Not type="number": for text that is not a number a browser sends an empty value,
        # and the run would start with the default instead of an error.
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    profile_name = forms.CharField(
        label="Profile",
        required=False,
        validators=[
            MaxLengthValidator(255)
        ],  # max_length would also add an attribute to the select element
        widget=forms.Select(attrs={"dir": "auto"}),
    )

    @classmethod
    def fresh(cls) -> "TriggerRunForm":
        """The form of a newly opened dialog, with a new key."""
        return cls(initial={"key": uuid.uuid4()})

    @classmethod
    def of(cls, attempt: TriggerAttempt) -> "TriggerRunForm":
        """The form of an existing attempt, with the attempt's key and options."""
        return cls(
            {
                "key": str(attempt.key),
                "max_iterations": attempt.max_iterations,
                "profile_name": attempt.profile_name,
            }
        )

    @classmethod
    def resumed(cls, typed: Mapping[str, str]) -> "TriggerRunForm":
        """The form as it was typed before the session ended. It is not validated.

        ``typed`` maps field names to values; ``dropped`` in it says that the values were lost.
        """
        form = cls.fresh()
        form.is_resumed, form.was_dropped = True, "dropped" in typed
        form.initial.update({name: typed[name] for name in cls.base_fields if name in typed})
        try:
            form.initial["key"] = uuid.UUID(str(form.initial["key"]))
        except ValueError:
            form.renew()
        return form

    def renew(self) -> None:
        """Give the form a new key, so that sending the form starts a new attempt."""
        if self.is_bound:
            self.data = dict(self.data.items()) | {"key": str(uuid.uuid4())}
        else:
            self.initial["key"] = uuid.uuid4()

    @property
    def is_filled(self) -> bool:
        """Whether the form holds values that an operator typed."""
        return self.is_bound or self.is_resumed

    @property
    def shows_options(self) -> bool:
        """Whether Advanced Options are open: an option has a value or an error."""
        options = (self["max_iterations"], self["profile_name"])
        return any(option.errors or (self.is_filled and option.value()) for option in options)

    @property
    def settings_words(self) -> str:
        """The settings of the new run, as they follow "This will create Run #3 using"."""
        try:
            count = self.fields["max_iterations"].clean(self["max_iterations"].value())
            profile = self.fields["profile_name"].clean(self["profile_name"].value())
        except ValidationError:
            return "the options below"
        if profile:
            return f"Profile {profile}" + (f" with Max Iterations {count}" if count else "")
        if count:
            return f"Max Iterations {count} and otherwise the current profile settings"
        return "the current profile settings"

    @property
    def overrides(self) -> RunOverrides:
        """The options of a valid form."""
        return RunOverrides(self.cleaned_data["max_iterations"], self.cleaned_data["profile_name"])

    def now_shows(self, work_order: WorkOrder) -> None:
        """Store the work order's present state, which the operator confirms by starting."""
        if self.is_bound:
            self.data = dict(self.data.items()) | {"seen": work_order.state_token}
        else:
            self.initial["seen"] = work_order.state_token

    def show_for(self, dialog: TriggerDialog | None) -> None:
        """Fill in the profiles of the API, and the values that apply when nothing is chosen.

        ``dialog`` is ``None`` when the API could not be read. What was typed stays in any case.
        """
        if dialog and not (self.data if self.is_bound else self.initial).get("seen"):
            self.now_shows(dialog.work_order)
        profiles = dialog.profiles if dialog else ()
        in_force = dialog.profile_in_force if dialog else None
        work_order = dialog.work_order if dialog else None
        if work_order and (count := work_order.max_iterations):
            if in_force and in_force.max_iterations == count:
                source = f"from profile {legible(in_force.name)}"
            else:
                source = "set by this work order"
            self["max_iterations"].help_text = f"Left empty: {count}, {source}"
        name = (work_order and work_order.profile_name) or (in_force.name if in_force else "")
        unset = "This work order's profile"
        if name:
            unset = f"{legible(name, 255)} (this work order's profile)"
        choices = [("", unset)]
        for profile in profiles:
            if profile.name == name:
                continue
            count = profile.max_iterations
            plural = "" if count == 1 else "s"
            iterations = f" ({count} iteration{plural})" if count else ""
            choices.append((profile.name, legible(profile.name) + iterations))
        typed = self["profile_name"].value()
        if typed and typed not in dict(choices):
            choices.append((typed, legible(str(typed))))
        cast("forms.Select", self.fields["profile_name"].widget).choices = choices
