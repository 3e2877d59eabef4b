"""Which message of a lane is next? The newest state of what matters most."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, select
from sqlalchemy.orm import contains_eager

from portal.db import db
from portal.domain.alerts.models import Alert, AlertStatus, Priority
from portal.slack.posted import BEHIND, SUMMARY_BEHIND, Lane, PostedMessage, Summary

SUMMARY_SPACING = timedelta(seconds=1)
SUMMARY_TURN = timedelta(seconds=1.4)  # so long a summary lets waiting messages go first


def next_post(lane: Lane, moment: datetime) -> PostedMessage | Summary | None:
    """What should get a new message next: a summary, which stands for many, goes first."""
    summary = db.session.scalar(_summaries(lane).where(Summary.ts.is_(None)).limit(1))
    if summary is not None:
        return summary
    order = (
        _not_yet(moment),
        PostedMessage.attempts,
        PostedMessage.summary_id.is_not(None),  # those that a summary names can wait
        *importance(),
    )
    return db.session.scalar(_messages(lane, is_new=True).order_by(*order).limit(1))


def next_update(lane: Lane, moment: datetime) -> PostedMessage | Summary | None:
    """Which message should change next: summaries and single ones take turns."""
    summaries = _summaries(lane).where(Summary.ts.is_not(None)).order_by(Summary.shown_at)
    summary = db.session.scalar(summaries.limit(1))
    order = (
        _not_yet(moment),
        PostedMessage.attempts,
        Alert.status == AlertStatus.PENDING,  # answers go first
        PostedMessage.shown_at,
    )
    message = db.session.scalar(_messages(lane, is_new=False).order_by(*order).limit(1))
    if summary is None or message is None:
        return summary or message
    shown_at = summary.shown_at or moment
    waits_longer = shown_at <= moment - SUMMARY_TURN
    return message if ready_at(message) <= moment and not waits_longer else summary


def ready_at(row: PostedMessage | Summary) -> datetime:
    """From which moment this message may be tried, as far as it alone is concerned."""
    moments = [row.created_at]
    if row.not_before is not None:
        moments.append(row.not_before)
    if isinstance(row, Summary) and row.ts and row.shown_at is not None:
        moments.append(row.shown_at + SUMMARY_SPACING)
    return max(moments)


def is_empty(account_id: int, channel_id: str) -> bool:
    """Whether nothing in the channel is behind."""
    message = exists().where(
        PostedMessage.account_id == account_id, PostedMessage.channel_id == channel_id, BEHIND
    )
    summary = exists().where(
        Summary.account_id == account_id, Summary.channel_id == channel_id, SUMMARY_BEHIND
    )
    return not db.session.execute(select(message | summary)).scalar_one()


def uncertain(lane: Lane) -> list[PostedMessage | Summary]:
    """New messages of which nobody knows whether Slack has them already."""
    found: list[PostedMessage | Summary] = []
    for kind in (PostedMessage, Summary):
        wanted = select(kind).where(
            kind.account_id == lane.account_id,
            kind.channel_id == lane.channel_id,
            SUMMARY_BEHIND,
            kind.ts.is_(None),
            kind.uncertain_since.is_not(None),
        )
        found.extend(db.session.scalars(wanted))
    return found


def importance() -> tuple[ColumnElement[Any], ...]:
    """The order of alerts: open before resolved, answered before not, then by priority and age."""
    answered = {AlertStatus.ACKNOWLEDGED: 0, AlertStatus.PENDING: 1, AlertStatus.RESOLVED: 2}
    order: list[ColumnElement[Any]] = [case(answered, value=Alert.status, else_=2)]
    return (*order, Alert.priority == Priority.LOW, Alert.id.expression)


def _not_yet(moment: datetime) -> ColumnElement[bool]:
    return PostedMessage.not_before.is_not(None) & (PostedMessage.not_before > moment)


def _summaries(lane: Lane) -> Select[Summary]:
    return select(Summary).where(
        Summary.account_id == lane.account_id,
        Summary.channel_id == lane.channel_id,
        SUMMARY_BEHIND,
    )


def _messages(lane: Lane, *, is_new: bool) -> Select[PostedMessage]:
    alert = contains_eager(PostedMessage.alert)
    people = alert.joinedload(Alert.acknowledged_by), alert.joinedload(Alert.resolved_by)
    return (
        select(PostedMessage)
        .join(PostedMessage.alert)
        .where(
            PostedMessage.account_id == lane.account_id,
            PostedMessage.channel_id == lane.channel_id,
            BEHIND,
            PostedMessage.ts.is_(None) if is_new else PostedMessage.ts.is_not(None),
        )
        .options(alert.joinedload(Alert.source), *people)
        .execution_options(populate_existing=True)
    )
