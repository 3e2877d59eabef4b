"""In which channels does an alert appear? Pure: no clock, no database."""

from collections.abc import Iterable

from portal.domain.alerts.models import Alert
from portal.domain.routing.models import AlertAction


def channels_for(alert: Alert, actions: Iterable[AlertAction]) -> dict[str, str]:
    """Channel id → channel name. Two actions that name one channel make one message."""
    return {
        action.channel_id: action.channel_name
        for action in actions
        if any(source.id == alert.source_id for source in action.sources)
    }
