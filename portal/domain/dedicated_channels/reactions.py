"""Which alerts get a dedicated channel by themselves? In the transaction of what happened to them."""

from sqlalchemy import select

from portal.db import db
from portal.domain.alerts.models import Alert, Priority
from portal.domain.dedicated_channels import progress
from portal.domain.dedicated_channels.models import ChannelState, DedicatedChannel
from portal.domain.facts import AlertCreated, AlertPriorityRaised
from portal.domain.routing import queries as routing


def create_where_wanted(fact: AlertCreated | AlertPriorityRaised) -> None:
    """An alert action may want a channel for each alert of high priority."""
    alert = db.session.get_one(Alert, fact.alert_id)
    if alert.priority is not Priority.HIGH or not routing.wants_channel(alert):
        return
    has_one = select(DedicatedChannel.id).where(
        DedicatedChannel.alert_id == alert.id, DedicatedChannel.state != ChannelState.DETACHED
    )
    if db.session.scalar(has_one) is None:
        progress.requested(alert, by=None, via=None)
