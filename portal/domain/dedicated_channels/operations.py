"""What do people do about an alert's dedicated channel? Each function is one transaction."""

from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries as alerts
from portal.domain.alerts import timeline
from portal.domain.alerts.models import Alert, AlertStatus, TimelineKind, Via
from portal.domain.dedicated_channels import names, progress
from portal.domain.dedicated_channels.models import (
    ChannelState,
    DedicatedChannel,
    InvitationState,
)
from portal.domain.facts import (
    DedicatedChannelDetached,
    DedicatedChannelRequested,
    announce,
)
from portal.errors import Conflict, Invalid

UNDER_WAY = (ChannelState.CREATING, ChannelState.ATTACHED)


def create(
    alert_id: int, *, name: str = "", is_private: bool = False, by: User, via: Via
) -> DedicatedChannel:
    """Have a channel made for the alert; Slack is asked afterwards (product.md section 6).

    `name` may be anything, Slack's rules are applied; left empty, it is the proposed one. Whoever
    asks while there is a channel, or one is being made, gets that one. Raises Invalid for a name of
    which nothing is left, Conflict when the alert is resolved.
    """
    alert = _locked(alert_id, by)
    before = _current(alert)
    if before is not None and before.state in UNDER_WAY:
        db.session.commit()
        return before
    if alert.status is AlertStatus.RESOLVED:
        raise Conflict("This alert is resolved. Nothing was changed.")
    cleaned = names.clean(name)
    if name.strip() and not cleaned:
        raise Invalid("Please use letters or digits in the name.", field="name")
    if before is not None:
        before.state = ChannelState.DETACHED  # gone in Slack, or never made
        db.session.flush()
    channel = progress.requested(alert, name=cleaned, is_private=is_private, by=by, via=via)
    db.session.commit()
    return channel


def detach(alert_id: int, *, by: User, via: Via) -> None:
    """The channel no longer follows the alert; it stays in Slack, with a line that says so.

    Raises Conflict when there is no channel to detach, or it is still being made.
    """
    alert = _locked(alert_id, by)
    channel = _current(alert)
    if channel is not None and channel.state is ChannelState.CREATING:
        raise Conflict("The channel is still being made. Please try again in a moment.")
    if channel is None or channel.state is not ChannelState.ATTACHED:
        raise Conflict("This alert has no channel. Nothing was changed.")
    channel.state = ChannelState.DETACHED
    channel.detached_at, channel.detached_by_id = now(), by.id
    name = channel.channel_name
    timeline.record(alert, TimelineKind.CHANNEL_DETACHED, by=by, via=via, name=name)
    announce(DedicatedChannelDetached(channel.id, alert.id))
    db.session.commit()


def invite_again(alert_id: int, *, by: User) -> None:
    """Try those once more who could not be invited. Raises Conflict when there is no channel."""
    channel = _current(_locked(alert_id, by))
    if channel is None or channel.state is not ChannelState.ATTACHED:
        raise Conflict("This alert has no channel. Nothing was changed.")
    for invitation in channel.invitations:
        if invitation.state is InvitationState.REFUSED:
            invitation.state, invitation.reason = InvitationState.WANTED, None
    announce(DedicatedChannelRequested(channel.id))
    db.session.commit()


def _locked(alert_id: int, by: User) -> Alert:
    by.require(Permission.RESPOND_TO_ALERTS)
    return alerts.locked(by, alert_id)


def _current(alert: Alert) -> DedicatedChannel | None:
    wanted = select(DedicatedChannel).where(
        DedicatedChannel.alert_id == alert.id, DedicatedChannel.state != ChannelState.DETACHED
    )
    fresh = wanted.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(fresh)
