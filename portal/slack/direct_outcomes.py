"""Was the person told? What became of a direct message, for the alert's timeline."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.db import db
from portal.domain.notifications import outcomes
from portal.domain.notifications.models import Notification, NotificationState, Way
from portal.jobs.engine import job, wake
from portal.slack.errors import words
from portal.slack.posted import PostedMessage, Summary

# Messages that one job looks at. A job for each took seconds to wake where a summary stands for
# thousands, and who escalates waited for the lane. Their ids are its key: an index entry's 2,700 bytes.
TOGETHER = 100


def note(posted_message_ids: Iterable[int]) -> None:
    """Have it said, once the caller's transaction has committed."""
    ids = sorted(posted_message_ids)
    for start in range(0, len(ids), TOGETHER):
        wake(note_outcomes, ids=",".join(map(str, ids[start : start + TOGETHER])))


def note_refusal(row: PostedMessage | Summary) -> None:
    """The same for a message that was given up, or for all that a summary stands for."""
    if isinstance(row, PostedMessage):
        note([row.id])
    else:
        named = select(PostedMessage.id).where(PostedMessage.summary_id == row.id)
        note(db.session.scalars(named).all())


@job("direct_messages:{ids}")
def note_outcomes(ids: str) -> None:
    """Say on the alerts whether the person was told, by these messages: ids with commas between.

    A job, because the lane that wakes it holds rows for which somebody who answers may wait.
    """
    wanted = select(PostedMessage).where(PostedMessage.id.in_([int(id) for id in ids.split(",")]))
    rows = list(db.session.scalars(wanted.options(joinedload(PostedMessage.summary))))
    waiting = _waiting_for(rows)
    shown: list[int] = []
    failed: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        stands_for_it = row.summary if row.summary is not None and row.ts is None else row
        if row.shown_at is not None:
            shown += waiting[row.id]
        elif stands_for_it.gave_up_at is not None:
            failed[words(stands_for_it.last_error or "")] += waiting[row.id]
    outcomes.sent(shown)
    for because, notification_ids in failed.items():
        outcomes.failed(notification_ids, because)
    db.session.commit()


def _waiting_for(rows: Collection[PostedMessage]) -> dict[int, list[int]]:
    """The notifications that each carries out; else the one that was called off too late.

    Locked in the order of the alerts, as by somebody who answers many of them at once. Found by the
    alerts alone: one person may have thousands of notifications, and their index was read for each.
    """
    found = (
        select(Notification.alert_id, Notification.user_id, Notification.id, Notification.state)
        .where(Notification.alert_id.in_([row.alert_id for row in rows]))
        .where(Notification.way == Way.SLACK)
        .order_by(Notification.alert_id, Notification.id)
        .with_for_update()
    )
    under_way: dict[tuple[int | None, int], list[int]] = defaultdict(list)
    called_off: dict[tuple[int | None, int], list[int]] = {}
    for alert_id, user_id, notification_id, state in db.session.execute(found):
        if state == NotificationState.UNDER_WAY:
            under_way[alert_id, user_id].append(notification_id)
        elif state == NotificationState.CANCELLED:
            called_off[alert_id, user_id] = [notification_id]  # the newest of them
        elif state == NotificationState.SENT:
            called_off[alert_id, user_id] = []  # what was called off before that is not meant
    told = {row.id: (row.alert_id, row.user_id or 0) for row in rows}
    return {id: under_way.get(pair) or called_off.get(pair, []) for id, pair in told.items()}
