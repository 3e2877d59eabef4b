"""What did an alert action have to do in the last 48 hours, and what came of it?"""

from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert
from portal.domain.alerts.queries import visible_to
from portal.domain.routing import matching
from portal.domain.routing import queries as routing
from portal.domain.routing.models import AlertAction
from portal.domain.routing.triggers import TriggerMode
from portal.slack.posted import PostedMessage, ThreadReply

SPAN = timedelta(hours=48)
MOST_LISTED = 50


def of(viewer: User, action: AlertAction) -> list[tuple[PostedMessage, int]]:
    """The newest messages in its channels of alerts that it concerns, as far as the viewer may see
    them; with each, how many updates its thread tells."""
    since = now() - SPAN
    replies = select(func.count()).where(
        ThreadReply.posted_message_id == PostedMessage.id, ThreadReply.shown_at.is_not(None)
    )
    recent = or_(PostedMessage.created_at >= since, PostedMessage.shown_at >= since)
    wanted = (
        select(PostedMessage, replies.scalar_subquery())
        .join(PostedMessage.alert)
        .where(
            PostedMessage.account_id == action.account_id,
            PostedMessage.channel_id.in_([each.channel_id for each in action.channels]),
            Alert.source_id.in_([source.id for source in action.sources]),
            Alert.id.in_(visible_to(viewer).with_only_columns(Alert.id)),
            recent,
        )
        .options(
            contains_eager(PostedMessage.alert).joinedload(Alert.source),
            joinedload(PostedMessage.summary),
        )
        .order_by(PostedMessage.id.desc())
        .limit(MOST_LISTED)
    )
    rows = [(posted, replies) for posted, replies in db.session.execute(wanted)]
    if action.mode is TriggerMode.MANUAL:
        return [(posted, replies) for posted, replies in rows if posted.run_id is not None]
    subjects = routing.subjects_of((posted.alert for posted, _ in rows), [action])
    return [row for row in rows if matching.fits(action, subjects[row[0].alert_id])]
