"""How does somebody have a message tried at once, when they have mended what was wrong?"""

from sqlalchemy import select

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import Alert
from portal.domain.alerts.queries import visible_to
from portal.errors import NotFound
from portal.slack import channel_health
from portal.slack.posted import PostedMessage


def try_now(alert_id: int, channel_id: str, *, by: User) -> None:
    """Try the channel of this alert now. What Slack itself forbids for now still has to wait."""
    by.require(Permission.RESPOND_TO_ALERTS)
    wanted = (
        select(PostedMessage.id)
        .join(PostedMessage.alert)
        .where(PostedMessage.channel_id == channel_id)
        .where(Alert.id.in_(visible_to(by).where(Alert.id == alert_id).with_only_columns(Alert.id)))
    )
    if by.account_id is None or db.session.scalar(wanted) is None:
        raise NotFound("This alert is not shown in such a channel.")
    channel_health.try_now(by.account_id, channel_id)
    db.session.commit()
