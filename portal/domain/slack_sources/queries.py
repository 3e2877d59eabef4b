"""What is set up on a Slack alert source, and to which one does a channel belong?"""

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.escalation.models import EscalationPolicy, EscalationRule
from portal.domain.slack_sources.models import (
    TYPE,
    OfferedPolicy,
    SlackSource,
    SlackSourceChannel,
)
from portal.domain.sources import queries as sources
from portal.domain.sources.models import AlertSource
from portal.errors import NotFound


def settings_of(viewer: User, source_id: int) -> tuple[AlertSource, SlackSource | None]:
    """The source, and its settings once they were saved. Raises NotFound, also for other types."""
    source = sources.source(viewer, source_id)
    if source.type != TYPE:
        raise NotFound("Only alert sources of the type Slack have Slack settings.")
    return source, db.session.get(SlackSource, source.id)


def of_channel(account_id: int, channel_id: str) -> SlackSource | None:
    """The Slack source that the channel belongs to, with its policies and their rules."""
    rules = selectinload(SlackSource.offers).joinedload(OfferedPolicy.policy)
    wanted = (
        select(SlackSource)
        .join(SlackSourceChannel, SlackSourceChannel.source_id == SlackSource.source_id)
        .where(
            SlackSourceChannel.account_id == account_id,
            SlackSourceChannel.channel_id == channel_id,
        )
        .options(
            rules.selectinload(EscalationPolicy.rules).selectinload(EscalationRule.targets),
        )
    )
    return db.session.scalar(wanted)


def taken_channels(account_id: int, channel_ids: list[str], *, but: int) -> dict[str, str]:
    """Which of the channels belong to another Slack source: the channel's name → the source's."""
    wanted = (
        select(SlackSourceChannel.channel_name, AlertSource.name)
        .join(AlertSource, AlertSource.id == SlackSourceChannel.source_id)
        .where(
            SlackSourceChannel.account_id == account_id,
            SlackSourceChannel.channel_id.in_(channel_ids),
            SlackSourceChannel.source_id != but,
        )
        .order_by(SlackSourceChannel.channel_name)
    )
    return dict(db.session.execute(wanted).all())
