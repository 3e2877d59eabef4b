"""Which dedicated channel has an alert, and who is, or would be, in it?"""

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert
from portal.domain.dedicated_channels.models import (
    ChannelInvitation,
    ChannelState,
    DedicatedChannel,
)
from portal.domain.escalation import queries as escalation


def current(alert: Alert) -> DedicatedChannel | None:
    """The alert's channel, or the one that is being made or could not be made. Whoever asks has
    got the alert through its own `visible_to`."""
    wanted = (
        select(DedicatedChannel)
        .where(
            DedicatedChannel.alert_id == alert.id,
            DedicatedChannel.state != ChannelState.DETACHED,
        )
        .options(
            joinedload(DedicatedChannel.requested_by),
            selectinload(DedicatedChannel.invitations).joinedload(ChannelInvitation.user),
        )
    )
    return db.session.scalar(wanted.execution_options(populate_existing=True))


def people_to_invite(alert: Alert, asking: User | None) -> list[User]:
    """The present responders, and whoever asks for the channel; each once, the active ones only."""
    people = [responder.user for responder in escalation.responders_of(alert)]
    people += [asking] if asking is not None else []
    return list({each.id: each for each in people if each.is_active}.values())


def locked(dedicated_channel_id: int) -> DedicatedChannel | None:
    """The row as it is now, kept from changing until the transaction ends.

    The alert first, as everybody does who changes both: two that lock in opposite order would wait
    for each other.
    """
    of = select(DedicatedChannel.alert_id).where(DedicatedChannel.id == dedicated_channel_id)
    alert = select(Alert.id).where(Alert.id.in_(of)).with_for_update(read=True, key_share=True)
    db.session.execute(alert).first()
    wanted = select(DedicatedChannel).where(DedicatedChannel.id == dedicated_channel_id)
    fresh = wanted.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(fresh)
