"""Was the person told? What became of a direct message, for the alert's timeline."""

from collections.abc import Iterable

from sqlalchemy import select

from portal.db import db
from portal.domain.notifications import outcomes
from portal.domain.notifications.models import Notification, NotificationState, Way
from portal.jobs.engine import job, wake
from portal.slack.errors import words
from portal.slack.posted import PostedMessage, Summary


def note(posted_message_ids: Iterable[int]) -> None:
    """Have it said, once the caller's transaction has committed."""
    for posted_message_id in sorted(posted_message_ids):
        wake(note_outcome, posted_message_id=posted_message_id)


def note_refusal(row: PostedMessage | Summary) -> None:
    """The same for a message that was given up, or for all that a summary stands for."""
    if isinstance(row, PostedMessage):
        note([row.id])
    else:
        named = select(PostedMessage.id).where(PostedMessage.summary_id == row.id)
        note(db.session.scalars(named).all())


@job("direct_message:{posted_message_id}")
def note_outcome(posted_message_id: int) -> None:
    """Say on the alert whether the person was told.

    A job, because the lane that wakes it holds rows for which somebody who answers may wait.
    """
    row = db.session.get(PostedMessage, posted_message_id)
    if row is None:
        return
    ids = _waiting_for(row)
    stands_for_it = row.summary if row.summary is not None and row.ts is None else row
    if row.shown_at is not None:
        outcomes.sent(ids)
    elif stands_for_it.gave_up_at is not None:
        outcomes.failed(ids, words(stands_for_it.last_error or ""))
    db.session.commit()


def _waiting_for(row: PostedMessage) -> list[int]:
    """The notifications that it carries out; else the one that was called off too late."""
    own = select(Notification.id).where(
        Notification.alert_id == row.alert_id,
        Notification.user_id == row.user_id,
        Notification.way == Way.SLACK,
    )
    under_way = own.where(Notification.state == NotificationState.UNDER_WAY)
    called_off = own.where(Notification.state == NotificationState.CANCELLED)
    newest = called_off.order_by(Notification.id.desc()).limit(1)
    return list(db.session.scalars(under_way)) or list(db.session.scalars(newest))
