"""Which alerts get a dedicated channel by themselves? In the transaction of what happened to them."""

from collections.abc import Iterable

from sqlalchemy import select

from portal.db import db
from portal.domain.alerts.models import Alert, Priority
from portal.domain.dedicated_channels import progress
from portal.domain.dedicated_channels.models import ChannelState, DedicatedChannel
from portal.domain.facts import AlertPriorityRaised
from portal.domain.routing import queries as routing
from portal.domain.routing.models import AlertAction


def create_for_raised(fact: AlertPriorityRaised) -> None:
    alert = db.session.get_one(Alert, fact.alert_id)
    create_where_wanted(alert, routing.actions_for(alert))


def create_where_wanted(alert: Alert, actions: Iterable[AlertAction]) -> None:
    """An action of the alert's source may want a channel for each alert of high priority.

    Not for one that an event of the same body has resolved already.
    """
    if not alert.is_open or alert.priority is not Priority.HIGH:
        return
    if not routing.wants_channel(alert, actions):
        return
    has_one = select(DedicatedChannel.id).where(
        DedicatedChannel.alert_id == alert.id, DedicatedChannel.state != ChannelState.DETACHED
    )
    if db.session.scalar(has_one) is None:
        progress.requested(alert, by=None, via=None)
