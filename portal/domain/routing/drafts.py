"""What should an alert action be? All of it as a form or a command sends it, checked as a whole."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from portal.domain.routing.conditions import MOST_CONDITIONS, Condition
from portal.domain.routing.models import AfterStorm
from portal.domain.routing.triggers import (
    DEFAULT,
    ENDED_AFTER,
    NOT_RESOLVED_AFTER,
    Trigger,
    TriggerMode,
)
from portal.domain.sources.models import AlertSource
from portal.errors import Invalid

LONGEST_NAME = 120
MOST_CHANNELS = 20
CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{2,30}")

Channel = tuple[str, str]  # Slack's id (C… or G…), and the name, which is only shown


@dataclass(frozen=True)
class ActionDraft:
    """An alert action that is to be made, or what an existing one becomes."""

    sources: Sequence[AlertSource]
    channels: Sequence[Channel]
    name: str = ""  # left empty, it is named after its channels
    mode: TriggerMode = TriggerMode.AUTOMATIC
    triggers: Sequence[Trigger] = DEFAULT
    ended_after: int = 0  # seconds
    not_resolved_after: int | None = None  # seconds; needed if that trigger is chosen
    conditions: Sequence[Condition] = field(default_factory=tuple)
    needs_all: bool = True
    fallback: Channel | None = None  # used as well while nothing can be posted to a channel
    after_storm: AfterStorm = AfterStorm.SUMMARY

    def check(self) -> None:
        """Raises Invalid, naming the field, for the first thing that does not fit."""
        if not self.sources:
            raise Invalid("Please choose at least one alert source.", field="sources")
        if not self.channels or not all(CHANNEL_ID.fullmatch(each[0]) for each in self.channels):
            raise Invalid("Please choose a channel.", field="channels")
        if len(self.channels) > MOST_CHANNELS:
            raise Invalid(f"Please choose up to {MOST_CHANNELS} channels.", field="channels")
        if len(self.called) > LONGEST_NAME:
            raise Invalid(f"Please give a name of up to {LONGEST_NAME} characters.", field="name")
        if len(self.conditions) > MOST_CONDITIONS:
            raise Invalid(f"Please use up to {MOST_CONDITIONS} conditions.", field="conditions")
        self._check_triggers()
        self._check_fallback()

    @property
    def called(self) -> str:
        names = [f"#{shown(each)}" for each in self.channels]
        named = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        return " ".join(self.name.split()).replace("\x00", "") or f"Alerts to {named}"

    def _check_triggers(self) -> None:
        if self.mode is TriggerMode.MANUAL:
            return
        if not self.triggers:
            raise Invalid("Please choose at least one update.", field="triggers")
        low, high = ENDED_AFTER
        if self.ended_after != 0 and not low <= self.ended_after <= high:
            raise Invalid(f"Please enter 0, or from {low} to {high} seconds.", field="ended_after")
        low, high = NOT_RESOLVED_AFTER
        wants_time = Trigger.NOT_RESOLVED in self.triggers
        if wants_time and not low <= (self.not_resolved_after or 0) <= high:
            raise Invalid(f"Please enter from {low} to {high} seconds.", field="not_resolved_after")

    def _check_fallback(self) -> None:
        if self.fallback is None:
            return
        if not CHANNEL_ID.fullmatch(self.fallback[0]):
            raise Invalid("Please choose a channel, or none.", field="fallback_channel_id")
        if self.fallback[0] in {channel_id for channel_id, _ in self.channels}:
            raise Invalid("Please choose another channel than above.", field="fallback_channel_id")


def shown(channel: Channel) -> str:
    """The channel's name without the sign; the id where nobody knows the name."""
    channel_id, name = channel
    return name.strip().removeprefix("#") or channel_id
