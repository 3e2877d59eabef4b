"""In which channels does an update of an alert appear, and why not? Pure: no clock, no database."""

from collections.abc import Collection, Iterable

from portal.domain.routing.conditions import Subject, failing
from portal.domain.routing.models import AlertAction
from portal.domain.routing.triggers import LABELS, Trigger, TriggerMode

Channels = dict[str, str]  # id → name


def publishing(
    actions: Iterable[AlertAction], trigger: Trigger, subject: Subject
) -> list[AlertAction]:
    """The actions of the alert's source that publish such an update of this alert."""
    return [each for each in actions if trigger in each.triggers and fits(each, subject)]


def fits(action: AlertAction, subject: Subject) -> bool:
    """Whether its conditions let the alert through."""
    return not failing(action.conditions, subject, needs_all=action.needs_all)


def channels_of(actions: Iterable[AlertAction]) -> Channels:
    """Two actions that name one channel make one message."""
    return {each.channel_id: each.channel_name for action in actions for each in action.channels}


def fallbacks_of(actions: Iterable[AlertAction], closed: Collection[str]) -> Channels:
    """Where it appears as well, because nothing can be posted to these channels just now."""
    return {
        action.fallback_channel_id: action.fallback_channel_name or action.fallback_channel_id
        for action in actions
        if action.fallback_channel_id and any(each.channel_id in closed for each in action.channels)
    }


def why_not(action: AlertAction, subject: Subject) -> str:
    """Why an action of the alert's source has not shown it: its mode, its conditions, its updates."""
    if action.mode is TriggerMode.MANUAL:
        return "It is carried out by hand, from the alert's menu."
    missed = failing(action.conditions, subject, needs_all=action.needs_all)
    if missed:
        joined = ", ".join(map(str, missed))
        return f"Its conditions are not met: {joined}."
    if Trigger.CREATED not in action.triggers:
        updates = ", ".join(LABELS[each].lower() for each in action.triggers)
        return f"New alerts do not have it post, only: {updates}."
    return "It was made or changed after this alert was opened."
