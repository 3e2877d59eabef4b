"""What becomes of a dedicated channel as Slack answers? Within the caller's transaction, locked."""

from datetime import datetime

from sqlalchemy import Integer, cast, delete, func, select
from sqlalchemy.orm import joinedload

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts import timeline
from portal.domain.alerts.models import Alert, TimelineKind, Via
from portal.domain.dedicated_channels import names, queries
from portal.domain.dedicated_channels.models import (
    ChannelInvitation,
    ChannelState,
    DedicatedChannel,
    InvitationState,
)
from portal.domain.facts import (
    DedicatedChannelAttached,
    DedicatedChannelDetached,
    DedicatedChannelRequested,
    announce,
)
from portal.domain.routing.models import AlertAction, alert_action_sources

BY_ACTION = "An alert action"
ARCHIVED_BY_US = "archived_after_resolving"


def requested(
    alert: Alert, *, name: str = "", is_private: bool = False, by: User | None, via: Via | None
) -> DedicatedChannel:
    """Write down that the alert shall have a channel. Within the caller's transaction, with the
    alert locked; `by` is None where an alert action wants it."""
    proposed = names.proposed(alert.source.name, alert.id)
    channel = DedicatedChannel(
        account_id=alert.account_id,
        alert_id=alert.id,
        name=name or proposed,
        channel_name=name or proposed,
        is_name_typed=bool(name) and name != proposed,
        is_private=is_private,
        requested_by_id=by.id if by else None,
        via=via,
    )
    db.session.add(channel)
    db.session.flush()
    announce(DedicatedChannelRequested(channel.id))
    return channel


def attached(channel: DedicatedChannel, channel_id: str, name: str) -> None:
    """It exists: from now on it follows the alert."""
    channel.state, channel.attached_at = ChannelState.ATTACHED, now()
    channel.channel_id, channel.channel_name = channel_id, name
    channel.uncertain_since, channel.must_look, channel.problem = None, False, None
    announce(DedicatedChannelAttached(channel.id, channel.alert_id))


def not_created(channel: DedicatedChannel, code: str) -> None:
    """It will not exist; a person may ask again."""
    channel.state, channel.problem = ChannelState.NOT_CREATED, code


def closed(channel: DedicatedChannel, code: str, moment: datetime) -> None:
    """It can no longer be written to. The alert is free for another channel."""
    if channel.archive_at is not None:
        code = ARCHIVED_BY_US
    channel.state = ChannelState.CLOSED
    channel.closed_at, channel.closed_reason = moment, code
    timeline.record(
        channel.alert,
        TimelineKind.CHANNEL_DETACHED,
        by="Slack",
        name=channel.channel_name,
        cause=code,
    )
    announce(DedicatedChannelDetached(channel.id, channel.alert_id))


def note_closed(account_id: int, channel_id: str, code: str, moment: datetime) -> None:
    """A channel is gone in Slack; if it is an alert's own, the alert is free for another one."""
    wanted = select(DedicatedChannel.id).where(
        DedicatedChannel.account_id == account_id,
        DedicatedChannel.channel_id == channel_id,
        DedicatedChannel.state == ChannelState.ATTACHED,
    )
    found = db.session.scalar(wanted)
    channel = queries.locked(found) if found is not None else None
    if channel is not None and channel.state is ChannelState.ATTACHED:
        closed(channel, code, moment)


def invite_missing(channel: DedicatedChannel) -> None:
    """Everybody who answers for the alert by now should be in the channel."""
    known = {invitation.user_id for invitation in channel.invitations}
    for person in queries.people_to_invite(channel.alert, channel.requested_by):
        if person.id not in known:
            channel.invitations.append(ChannelInvitation(user=person))
    db.session.flush()


def told(channel: DedicatedChannel) -> None:
    """Name it on the timeline, and those who could not be invited; once, when that is known."""
    if channel.is_told:
        return
    channel.is_told = True
    refused = [
        invitation.user.name
        for invitation in channel.invitations
        if invitation.state is InvitationState.REFUSED
    ]
    timeline.record(
        channel.alert,
        TimelineKind.CHANNEL_ATTACHED,
        by=channel.requested_by or BY_ACTION,
        via=channel.via,
        name=channel.channel_name,
        **({"not_invited": refused} if refused else {}),
    )


def due_for_archiving(moment: datetime) -> list[DedicatedChannel]:
    """Attached channels of alerts that were resolved as many days ago as an alert action names."""
    waited = func.make_interval(0, 0, 0, cast(AlertAction.archive_channel_days, Integer))
    wanted = (
        select(DedicatedChannel)
        .join(Alert, Alert.id == DedicatedChannel.alert_id)
        .join(alert_action_sources, alert_action_sources.c.source_id == Alert.source_id)
        .join(AlertAction, AlertAction.id == alert_action_sources.c.action_id)
        .where(
            DedicatedChannel.state == ChannelState.ATTACHED,
            DedicatedChannel.archive_at.is_(None),
            Alert.resolved_at + waited <= moment,
        )
        .order_by(DedicatedChannel.id)
    )
    return list(db.session.scalars(wanted).unique())


def forget_all(account_id: int, *, by: User) -> int:
    """The workspace is unlinked: every channel of the account is detached. Returns how many."""
    wanted = select(DedicatedChannel).where(
        DedicatedChannel.account_id == account_id,
        DedicatedChannel.state == ChannelState.ATTACHED,
    )
    attached_ones = list(db.session.scalars(wanted.options(joinedload(DedicatedChannel.alert))))
    for channel in attached_ones:
        timeline.record(
            channel.alert,
            TimelineKind.CHANNEL_DETACHED,
            by=by,
            via=Via.WEB,
            name=channel.channel_name,
            cause="unlinked",
        )
    db.session.execute(delete(DedicatedChannel).where(DedicatedChannel.account_id == account_id))
    return len(attached_ones)
