"""What should Slack show now that something happened? Database only; the lanes do the talking."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from portal.db import db, now
from portal.domain.alerts.models import Alert
from portal.domain.facts import (
    AlertAcknowledged,
    AlertCreated,
    AlertEscalated,
    AlertEscalationEnded,
    AlertEventJoined,
    AlertPriorityRaised,
    AlertRerouted,
    AlertResolved,
    NobodyOnCall,
    ResponderAdded,
    WorkspaceLinked,
)
from portal.domain.routing import matching
from portal.domain.routing import queries as routing
from portal.jobs.engine import Wake
from portal.slack.lanes import deliver
from portal.slack.posted import BEHIND, Lane, PostedMessage

AlertChanged = (
    AlertEventJoined
    | AlertAcknowledged
    | AlertResolved
    | AlertPriorityRaised
    | AlertEscalated
    | AlertEscalationEnded
    | NobodyOnCall
    | ResponderAdded
    | AlertRerouted
)


def show_new_alert(fact: AlertCreated) -> Iterable[Wake]:
    """The channels of the matching alert actions should show it."""
    alert = db.session.get_one(Alert, fact.alert_id)
    channels = matching.channels_for(alert, routing.actions_for(alert))
    for channel_id, channel_name in channels.items():
        wanted = insert(PostedMessage).values(
            account_id=alert.account_id,
            alert_id=alert.id,
            channel_id=channel_id,
            channel_name=channel_name,
        )
        db.session.execute(wanted.on_conflict_do_nothing())
    return [_lane(alert.account_id, channel_id) for channel_id in channels]


def show_alerts_anew(facts: Sequence[AlertChanged]) -> Iterable[Wake]:
    """Wherever they are shown, they should show their present state: the wanted version goes up."""
    changed = (
        update(PostedMessage)
        .where(PostedMessage.alert_id.in_({fact.alert_id for fact in facts}))
        .values(wanted_version=PostedMessage.wanted_version + 1)
        .returning(PostedMessage.account_id, PostedMessage.channel_id)
    )
    lanes = {(account_id, channel_id) for account_id, channel_id in db.session.execute(changed)}
    return [_lane(account_id, channel_id) for account_id, channel_id in lanes]


def resume_lanes(fact: WorkspaceLinked) -> Iterable[Wake]:
    """What waited for the link goes on at once, newest state first."""
    lanes = select(PostedMessage.account_id, PostedMessage.channel_id).where(
        PostedMessage.account_id == fact.account_id, BEHIND
    )
    free = update(Lane).where(Lane.account_id == fact.account_id)
    db.session.execute(free.values(next_at=now(), held_reason=None, failures=0))
    rows = db.session.execute(lanes.distinct())
    return [_lane(account_id, channel_id) for account_id, channel_id in rows]


def _lane(account_id: int, channel_id: str) -> Wake:
    return Wake(deliver, {"account_id": account_id, "channel_id": channel_id})
