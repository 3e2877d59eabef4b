"""What does an alert's own channel in Slack follow? Database only; dedicated.carry_on() does the talking."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from portal.db import db
from portal.domain.dedicated_channels.models import ChannelState, DedicatedChannel
from portal.domain.facts import (
    AlertAcknowledged,
    AlertRerouted,
    AlertResolved,
    AlertSummaryChanged,
    DedicatedChannelAttached,
    DedicatedChannelDetached,
    ResponderAdded,
    WorkspaceLinked,
)
from portal.jobs.engine import Wake
from portal.slack.dedicated import carry_on
from portal.slack.lanes import deliver
from portal.slack.posted import PostedMessage

AlertChanged = (
    AlertAcknowledged | AlertResolved | AlertRerouted | ResponderAdded | AlertSummaryChanged
)


def show_alert(fact: DedicatedChannelAttached) -> Iterable[Wake]:
    """The alert's message is the first post there, and is kept up to date like all others."""
    channel = db.session.get_one(DedicatedChannel, fact.dedicated_channel_id)
    place: dict[str, int | str] = {
        "account_id": channel.account_id,
        "channel_id": channel.channel_id or "",
    }
    shown = place | {"alert_id": channel.alert_id, "channel_name": channel.channel_name}
    db.session.execute(insert(PostedMessage).values(**shown).on_conflict_do_nothing())
    return [Wake(deliver, place)]


def leave(fact: DedicatedChannelDetached) -> Iterable[Wake]:
    return [_wake(fact.dedicated_channel_id)]


def follow_alerts(facts: Sequence[AlertChanged]) -> Iterable[Wake]:
    """Topic and members follow the alert; many changes at once are one look at the row."""
    wanted = select(DedicatedChannel.id).where(
        DedicatedChannel.alert_id.in_({fact.alert_id for fact in facts}),
        DedicatedChannel.state == ChannelState.ATTACHED,
    )
    return [_wake(each) for each in db.session.scalars(wanted)]


def resume(fact: WorkspaceLinked) -> Iterable[Wake]:
    """What waited for the link, or for a permission that may be granted now, goes on."""
    mine = DedicatedChannel.account_id == fact.account_id
    for outcome in (DedicatedChannel.bookmark_outcome, DedicatedChannel.pin_outcome):
        again = update(DedicatedChannel).where(mine, outcome == "missing_scope")
        db.session.execute(again.values({outcome: None}))
    unfinished = DedicatedChannel.state.in_((ChannelState.CREATING, ChannelState.ATTACHED))
    wanted = select(DedicatedChannel.id).where(mine, unfinished)
    return [_wake(each) for each in db.session.scalars(wanted)]


def _wake(dedicated_channel_id: int) -> Wake:
    return Wake(carry_on, {"dedicated_channel_id": dedicated_channel_id})
