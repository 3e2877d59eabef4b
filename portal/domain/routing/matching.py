"""In which channels does an alert appear? Pure: no clock, no database."""

from collections.abc import Collection, Iterable

from portal.domain.alerts.models import Alert
from portal.domain.routing.models import AlertAction


def channels_for(alert: Alert, actions: Iterable[AlertAction]) -> dict[str, str]:
    """Channel id → channel name. Two actions that name one channel make one message."""
    return {
        action.channel_id: action.channel_name
        for action in actions
        if any(source.id == alert.source_id for source in action.sources)
    }


def fallbacks_for(
    alert: Alert, actions: Iterable[AlertAction], closed: Collection[str]
) -> dict[str, str]:
    """Where it appears as well, because nothing can be posted to these channels just now."""
    return {
        action.fallback_channel_id: action.fallback_channel_name or action.fallback_channel_id
        for action in actions
        if action.fallback_channel_id
        and action.channel_id in closed
        and any(source.id == alert.source_id for source in action.sources)
    }
