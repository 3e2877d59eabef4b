"""Which update is told next in a lane's threads, and what is told together with it?

Each function works within the caller's transaction, with the lane locked.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update
from sqlalchemy.orm import aliased, contains_eager, joinedload

from portal.db import db
from portal.domain.alerts.models import Alert, TimelineEntry
from portal.slack.messages import thread
from portal.slack.messages.thread import Update
from portal.slack.posted import Lane, PostedMessage, Summary, ThreadReply

TURN = timedelta(seconds=5)  # so long new alerts may go before what waits in threads
MOST_TOGETHER = 20  # updates of one alert in one reply
MOST_OF_A_SUMMARY = 2000

POSTED, SUMMARY = aliased(PostedMessage), aliased(Summary)
# The message that an update stands under: the alert's own, or the summary that stands for it.
IS_UNDER_SUMMARY = and_(POSTED.ts.is_(None), ~POSTED.is_own)
HAS_PARENT = or_(POSTED.ts.is_not(None), and_(IS_UNDER_SUMMARY, SUMMARY.ts.is_not(None)))
NOT_YET = and_(ThreadReply.not_before.is_not(None), ThreadReply.not_before > bindparam("moment"))


def _is_waiting() -> tuple[ColumnElement[bool], ...]:
    """As the partial index says it: posted.REPLY_BEHIND."""
    return (
        ThreadReply.account_id == bindparam("account_id"),
        ThreadReply.channel_id == bindparam("channel_id"),
        ThreadReply.shown_version < ThreadReply.wanted_version,
        ThreadReply.gave_up_at.is_(None),
        ThreadReply.told_by_id.is_(None),
    )


COUNT = (
    select(func.count())
    .select_from(ThreadReply)
    .join(POSTED, POSTED.id == ThreadReply.posted_message_id)
    .outerjoin(SUMMARY, SUMMARY.id == POSTED.summary_id)
    .where(*_is_waiting(), HAS_PARENT)
)
WAITING = (
    select(ThreadReply)
    .join(POSTED, POSTED.id == ThreadReply.posted_message_id)
    .outerjoin(SUMMARY, SUMMARY.id == POSTED.summary_id)
    .where(*_is_waiting(), HAS_PARENT)
    .options(
        contains_eager(ThreadReply.posted.of_type(POSTED)).contains_eager(
            POSTED.summary.of_type(SUMMARY)
        )
    )
    .execution_options(populate_existing=True)
)
NEXT = WAITING.order_by(NOT_YET, ThreadReply.attempts, ThreadReply.id).limit(1)
UNCERTAIN = (
    select(ThreadReply)
    .where(*_is_waiting(), ThreadReply.uncertain_since.is_not(None))
    .order_by(ThreadReply.id)
    .execution_options(populate_existing=True)
)


def next_reply(lane: Lane, moment: datetime) -> ThreadReply | None:
    """What should be told next, if its thread is there."""
    return db.session.scalar(NEXT, _of(lane, moment))


def uncertain(lane: Lane) -> list[ThreadReply]:
    """Replies of which nobody knows whether Slack has them already."""
    return list(db.session.scalars(UNCERTAIN, _of(lane)))


def has_turn(lane: Lane, reply: ThreadReply, moment: datetime) -> bool:
    """Whether a reply goes before a new alert: now and then, so that a storm cannot silence it."""
    waits_since = max(reply.created_at, lane.replied_at or reply.created_at)
    return waits_since <= moment - TURN


def begin(lane: Lane, reply: ThreadReply, moment: datetime) -> None:
    """It is tried now: fix its thread, and let it speak for what waits there as well.

    A second attempt says the same as the first, which may have got through.
    """
    lane.replied_at = moment
    if reply.thread_ts is not None:
        return
    posted = reply.posted
    if posted.ts is not None:
        reply.thread_ts = posted.ts
        beside, most = ThreadReply.posted_message_id == posted.id, MOST_TOGETHER
    else:
        assert posted.summary is not None  # noqa: S101 - HAS_PARENT
        reply.thread_ts = posted.summary.ts
        beside = and_(POSTED.summary_id == posted.summary_id, IS_UNDER_SUMMARY)
        most = MOST_OF_A_SUMMARY
    together = WAITING.where(
        beside, ThreadReply.id != reply.id, ThreadReply.thread_ts.is_(None)
    ).with_only_columns(ThreadReply.id)
    ids = list(db.session.scalars(together.order_by(ThreadReply.id).limit(most - 1), _of(lane)))
    if ids:
        joined = update(ThreadReply).where(ThreadReply.id.in_(ids))
        db.session.execute(joined.values(told_by_id=reply.id))
    db.session.flush()


def content(reply: ThreadReply, alerts_url: str) -> dict[str, Any]:
    """What the reply says: its own update and those that it speaks for, in their order."""
    wanted = (
        select(TimelineEntry, Alert)
        .join(ThreadReply, ThreadReply.entry_id == TimelineEntry.id)
        .join(Alert, Alert.id == TimelineEntry.alert_id)
        .where(or_(ThreadReply.id == reply.id, ThreadReply.told_by_id == reply.id))
        .options(joinedload(Alert.source))
        .order_by(TimelineEntry.id)
    )
    updates = [Update(entry, alert) for entry, alert in db.session.execute(wanted)]
    if reply.form == "plain":
        return thread.plain_reply(updates, alerts_url)
    is_of_many = reply.posted.ts != reply.thread_ts
    return thread.reply(updates, alerts_url, names_alerts=is_of_many)


def was_shown(reply: ThreadReply, moment: datetime) -> None:
    """So is what it spoke for."""
    told = update(ThreadReply).where(ThreadReply.told_by_id == reply.id)
    db.session.execute(told.values(shown_version=1, shown_at=moment))


def begin_anew(reply: ThreadReply, moment: datetime) -> None:
    """The message that it stands under is gone: once, it is told under the one that follows."""
    reply.thread_ts, reply.was_reposted = None, True
    reply.not_before = moment + TURN
    reply.posted.wanted_version += 1  # the next change of it meets the same, and posts a new one


def _of(lane: Lane, moment: datetime | None = None) -> dict[str, Any]:
    return {"account_id": lane.account_id, "channel_id": lane.channel_id, "moment": moment}
