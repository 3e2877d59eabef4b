"""Which message of a lane is next? The newest state of what matters most."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, case, func, select
from sqlalchemy.orm import contains_eager

from portal.db import db
from portal.domain.alerts.models import Alert, AlertStatus, Priority
from portal.slack import threads
from portal.slack.posted import (
    BEHIND,
    CLOCKS_AGREE,
    SUMMARY_BEHIND,
    Lane,
    PostedMessage,
    Sent,
    Summary,
    ThreadReply,
)

SUMMARY_SPACING = timedelta(seconds=1)  # between two changes of one summary
SUMMARY_TURN = timedelta(seconds=1.4)  # so long a summary lets waiting messages go first
LONG_AGO = timedelta(minutes=1)


class Census(NamedTuple):
    """How much is behind in a lane, by what has to be done about it."""

    fresh: int  # new alerts that nothing stands for yet
    old: int  # of these, so many wait for longer than LONG_AGO
    posts: int  # single messages to post
    updates: int  # single messages to change
    uncertain: int  # posts of which nobody knows whether Slack has them
    summaries: int  # to post or to change
    replies: int  # to post in threads that are there

    @property
    def is_empty(self) -> bool:
        return not (self.posts or self.updates or self.summaries or self.replies)


def _in_lane(kind: type[PostedMessage] | type[Summary]) -> tuple[ColumnElement[bool], ...]:
    return kind.account_id == bindparam("account_id"), kind.channel_id == bindparam("channel_id")


def importance() -> tuple[ColumnElement[Any], ...]:
    """The order of alerts: open before resolved, answered before not, then by priority and age."""
    answered = {AlertStatus.ACKNOWLEDGED: 0, AlertStatus.PENDING: 1, AlertStatus.RESOLVED: 2}
    order: list[ColumnElement[Any]] = [case(answered, value=Alert.status, else_=2)]
    return (*order, Alert.priority == Priority.LOW, Alert.id.expression)


def _messages(*, is_new: bool) -> Select[PostedMessage]:
    alert = contains_eager(PostedMessage.alert)
    people = alert.joinedload(Alert.acknowledged_by), alert.joinedload(Alert.resolved_by)
    return (
        select(PostedMessage)
        .join(PostedMessage.alert)
        .where(
            *_in_lane(PostedMessage),
            BEHIND,
            PostedMessage.ts.is_(None) if is_new else PostedMessage.ts.is_not(None),
        )
        .options(alert.joinedload(Alert.source), *people)
        .execution_options(populate_existing=True)
        .limit(1)
    )


# Built once: a lane asks these again and again.
NOT_YET = PostedMessage.not_before.is_not(None) & (PostedMessage.not_before > bindparam("moment"))
IS_NEW = PostedMessage.ts.is_(None)
IS_UNCERTAIN = IS_NEW & PostedMessage.uncertain_since.is_not(None)
IS_FRESH = IS_NEW & PostedMessage.summary_id.is_(None) & PostedMessage.uncertain_since.is_(None)
CENSUS = select(
    func.count().filter(IS_FRESH),
    func.count().filter(IS_FRESH & (PostedMessage.created_at < bindparam("long_ago"))),
    func.count().filter(IS_NEW),
    func.count().filter(~IS_NEW),
    func.count().filter(IS_UNCERTAIN),
    select(func.count())
    .select_from(Summary)
    .where(*_in_lane(Summary), SUMMARY_BEHIND)
    .scalar_subquery(),
    threads.COUNT.scalar_subquery(),
).where(*_in_lane(PostedMessage), BEHIND)
SUMMARIES = (
    select(Summary)
    .where(*_in_lane(Summary), SUMMARY_BEHIND)
    .order_by(Summary.ts.is_not(None), Summary.shown_at)
    .execution_options(populate_existing=True)
)
POSTING_ORDER = (
    NOT_YET,
    PostedMessage.attempts,
    PostedMessage.summary_id.is_not(None),  # those that a summary names can wait
    *importance(),
)
NEXT_POST = _messages(is_new=True).order_by(*POSTING_ORDER)
NEXT_UPDATE = _messages(is_new=False).order_by(
    NOT_YET,
    PostedMessage.attempts,
    Alert.status == AlertStatus.PENDING,  # answers go first
    PostedMessage.shown_at,
)


def census(account_id: int, channel_id: str, moment: datetime) -> Census:
    values = {"account_id": account_id, "channel_id": channel_id, "long_ago": moment - LONG_AGO}
    return Census(*db.session.execute(CENSUS, values).one())


def next_post(lane: Lane, moment: datetime, there: Census) -> PostedMessage | Summary | None:
    """What should get a new message next: a summary, which stands for many, goes first."""
    for summary in _summaries(lane, there):
        if summary.ts is None:
            return summary
    return db.session.scalar(NEXT_POST, _of(lane, moment)) if there.posts else None


def next_of_both(
    lane: Lane, moment: datetime, message: PostedMessage | Summary | None, reply: ThreadReply | None
) -> Sent | None:
    """A new message goes before a reply in a thread, unless it cannot go yet; now and then the
    reply has its turn all the same."""
    if message is None or reply is None:
        return message or reply
    if ready_at(reply, moment) > moment:
        return message
    is_first = ready_at(message, moment) <= moment and not threads.has_turn(lane, reply, moment)
    return message if is_first else reply


def next_update(lane: Lane, moment: datetime, there: Census) -> PostedMessage | Summary | None:
    """Which message should change next: summaries and single ones take turns."""
    summary = next((each for each in _summaries(lane, there) if each.ts is not None), None)
    message = db.session.scalar(NEXT_UPDATE, _of(lane, moment)) if there.updates else None
    if summary is None or message is None:
        return summary or message
    shown_at = min(summary.shown_at or moment, moment)
    waits_longer = shown_at <= moment - SUMMARY_TURN
    return message if ready_at(message, moment) <= moment and not waits_longer else summary


def ready_at(row: Sent, moment: datetime) -> datetime:
    """From which moment this message may be tried, as far as it alone is concerned.

    What was written down by a clock that has been set back since says nothing.
    """
    moments = [moment]
    attempted_at = row.attempted_at or moment
    if row.not_before is not None and attempted_at <= moment + CLOCKS_AGREE:
        moments.append(row.not_before)
    if isinstance(row, Summary) and row.ts and row.shown_at is not None:
        moments.append(min(row.shown_at, moment) + SUMMARY_SPACING)
    return max(moments)


def uncertain(lane: Lane) -> list[PostedMessage | Summary]:
    """New messages of which nobody knows whether Slack has them already."""
    found: list[PostedMessage | Summary] = []
    for kind, is_behind in ((PostedMessage, BEHIND), (Summary, SUMMARY_BEHIND)):
        wanted = select(kind).where(
            *_in_lane(kind),
            is_behind,
            kind.ts.is_(None),
            kind.uncertain_since.is_not(None),
        )
        found.extend(db.session.scalars(wanted, _of(lane)))
    return found


def new_summaries(account_id: int, channel_id: str) -> int:
    """How many summaries are to be posted: they go before any single message."""
    new = SUMMARIES.with_only_columns(func.count()).order_by(None).where(Summary.ts.is_(None))
    values = {"account_id": account_id, "channel_id": channel_id}
    return int(db.session.execute(new, values).scalar_one())


def _summaries(lane: Lane, there: Census) -> list[Summary]:
    return list(db.session.scalars(SUMMARIES, _of(lane))) if there.summaries else []


def _of(lane: Lane, moment: datetime | None = None) -> dict[str, Any]:
    return {"account_id": lane.account_id, "channel_id": lane.channel_id, "moment": moment}
