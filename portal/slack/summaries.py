"""When a channel is far behind: which alerts does one summary stand for, and until when?

product.md 11.3. All that wait are named in the summary at once; those that matter most still get
messages of their own, a few at a time. Once the lane has caught up, new alerts go their own way.
"""

from datetime import datetime, timedelta

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import joinedload

from portal.db import db, now
from portal.domain.alerts.models import (
    Alert,
    AlertStatus,
    Priority,
    TimelineEntry,
    TimelineKind,
)
from portal.domain.routing import queries as routing
from portal.domain.routing.models import AfterStorm, AlertAction
from portal.domain.sources.models import AlertSource
from portal.slack import direct_outcomes, queue, run_outcomes
from portal.slack.messages.summary import SHOWN, Gathered, Group
from portal.slack.posted import BEHIND, Lane, PostedMessage, Summary, label

THRESHOLD = 10  # more new alerts than this, waiting in one lane, are a storm
OWN_MESSAGES = 10  # so many of the most important ones wait for messages of their own as well
QUIET = timedelta(seconds=10)  # without a new alert, and the storm is over


def gather(lane: Lane, moment: datetime, there: queue.Census) -> bool:
    """Put what waits into the lane's summary, if there is a storm; end the storm if it is over.

    Returns whether anything has changed.
    """
    is_storm = lane.summary_id is not None or there.fresh > THRESHOLD
    if is_storm and there.fresh:
        waiting = _fresh(lane)
    else:
        waiting = _came_and_went(lane, moment) if there.old > 1 else []
    if waiting:
        _name(lane, waiting, moment)
    elif lane.summary_id is not None and (ends_at(lane) or moment) <= moment:
        _caught_up(lane, moment)
    else:
        return False
    return True


def ends_at(lane: Lane) -> datetime | None:
    """When the lane should look whether its storm is over."""
    if lane.summary_id is None or lane.gathered_at is None:
        return None
    return lane.gathered_at + QUIET


def gathered(summary: Summary) -> Gathered:
    """What the summary stands for now."""
    named = _named(summary.id)
    groups = db.session.execute(
        named.join(AlertSource, AlertSource.id == Alert.source_id)
        .with_only_columns(AlertSource.name, Alert.priority, Alert.status, func.count())
        .group_by(AlertSource.name, Alert.priority, Alert.status)
        .order_by(AlertSource.name)
    )
    newest = named.where(Alert.status == AlertStatus.PENDING, PostedMessage.ts.is_(None))
    newest = newest.order_by(Alert.priority == Priority.LOW, Alert.id.desc()).limit(SHOWN)
    return Gathered(
        summary_id=summary.id,
        place=label(summary),
        groups=[Group(*row) for row in groups],
        newest=list(db.session.scalars(newest.options(joinedload(Alert.source)))),
    )


def alert_ids(summary_id: int) -> list[int]:
    """The alerts that the summary stands for, the most important first."""
    wanted = _named(summary_id).with_only_columns(Alert.id).order_by(*queue.importance())
    return list(db.session.scalars(wanted))


def was_shown(summary: Summary, version: int, moment: datetime, **said: bool) -> list[datetime]:
    """Slack shows this version: say so on the alerts it names for the first time.

    `said` stands there as well: `perhaps_twice`, if Slack may have the message twice. Returns when each of them was opened.
    """
    new = (
        select(PostedMessage.id)
        .where(
            PostedMessage.summary_id == summary.id,
            PostedMessage.shown_at.is_(None),
            PostedMessage.summary_version <= version,
        )
        .with_for_update(skip_locked=True)
    )
    shown = update(PostedMessage).where(PostedMessage.id.in_(new)).values(shown_at=moment)
    about = shown.returning(
        PostedMessage.id, PostedMessage.alert_id, PostedMessage.created_at, PostedMessage.run_id
    )
    rows = db.session.execute(about).all()
    run_outcomes.went(run_id for *_, run_id in rows)
    if summary.is_direct:
        direct_outcomes.note(id for id, *_ in rows)
    elif rows:
        entry = {
            "kind": TimelineKind.SLACK_POSTED,
            "actor_name": "Slack",
            "at": moment,
            "data": {"channel": summary.channel_name, "with": len(rows), **said},
        }
        db.session.execute(insert(TimelineEntry), [entry | {"alert_id": id} for _, id, *_ in rows])
    return [created_at for _, _, created_at, _ in rows]


def _came_and_went(lane: Lane, moment: datetime) -> list[tuple[int, bool]]:
    """Alerts that were opened and resolved while nothing could be sent: one message for all."""
    wanted = _waiting(lane).join(Alert, Alert.id == PostedMessage.alert_id)
    wanted = wanted.where(
        Alert.status == AlertStatus.RESOLVED, PostedMessage.created_at < moment - queue.LONG_AGO
    )
    wanted = wanted.with_for_update(of=PostedMessage, skip_locked=True)
    found = [(id, False) for id in db.session.scalars(wanted)]
    return found if len(found) > 1 else []


def _waiting(lane: Lane) -> Select[int]:
    """New alerts that nothing stands for yet."""
    return select(PostedMessage.id).where(
        PostedMessage.account_id == lane.account_id,
        PostedMessage.channel_id == lane.channel_id,
        BEHIND,
        PostedMessage.ts.is_(None),
        PostedMessage.summary_id.is_(None),
        PostedMessage.uncertain_since.is_(None),
    )


def _fresh(lane: Lane) -> list[tuple[int, bool]]:
    """Their ids, the most important first, and whether each deserves a message of its own.

    Rows that somebody is just changing are left for the next time: nobody waits for anybody.
    """
    matters = (Alert.status == AlertStatus.ACKNOWLEDGED) | (
        (Alert.priority == Priority.HIGH) & (Alert.status == AlertStatus.PENDING)
    )
    wanted = (
        _waiting(lane)
        .join(Alert, Alert.id == PostedMessage.alert_id)
        .with_only_columns(PostedMessage.id, matters)
        .order_by(*queue.importance())
        .with_for_update(of=PostedMessage, skip_locked=True)
    )
    return [(id, bool(it_matters)) for id, it_matters in db.session.execute(wanted)]


def _name(lane: Lane, waiting: list[tuple[int, bool]], moment: datetime) -> None:
    """The summary stands for these from now on; the first that matter keep their own place too."""
    summary = _open(lane, waiting[0][0])
    summary.wanted_version += 1
    room = OWN_MESSAGES - _own_waiting(summary)
    own = [id for id, matters in waiting if matters][: max(0, room)]
    named = {"summary_id": summary.id, "summary_version": summary.wanted_version}
    others = sorted({id for id, _ in waiting} - set(own))
    for ids, is_own in ((sorted(own), True), (others, False)):
        if ids:
            put = update(PostedMessage).where(PostedMessage.id.in_(ids))
            db.session.execute(put.values(**named, is_own=is_own))
    lane.gathered_at = moment


def _open(lane: Lane, named_id: int) -> Summary:
    """The lane's open summary; a new one is called after the channel of this message."""
    if lane.summary_id is not None:
        return db.session.get_one(Summary, lane.summary_id, with_for_update=True)
    name = db.session.scalar(select(PostedMessage.channel_name).where(PostedMessage.id == named_id))
    summary = Summary(
        account_id=lane.account_id,
        channel_id=lane.channel_id,
        channel_name=name or lane.channel_id,
        wanted_version=0,
        shown_version=0,
        created_at=now(),
        attempts=0,
        form="full",
    )
    db.session.add(summary)
    db.session.flush()
    lane.summary_id = summary.id
    return summary


def _own_waiting(summary: Summary) -> int:
    waiting = select(func.count()).where(
        PostedMessage.summary_id == summary.id,
        PostedMessage.is_own,
        PostedMessage.ts.is_(None),
        PostedMessage.gave_up_at.is_(None),
    )
    return int(db.session.execute(waiting).scalar_one())


def _caught_up(lane: Lane, moment: datetime) -> None:
    """New alerts get messages of their own again; the open ones too, where an action wants that."""
    summary = db.session.get_one(Summary, lane.summary_id, with_for_update=True)
    if _own_waiting(summary):
        lane.gathered_at = moment  # still busy: look again later
        return
    summary.closed_at, lane.summary_id, lane.gathered_at = moment, None, None
    wants_own = routing.naming(lane.account_id, lane.channel_id).where(
        AlertAction.after_storm == AfterStorm.OWN
    )
    if db.session.scalar(wants_own.limit(1)) is None:
        return
    still_open = (
        select(PostedMessage.id)
        .join(Alert, Alert.id == PostedMessage.alert_id)
        .where(
            PostedMessage.summary_id == summary.id,
            PostedMessage.ts.is_(None),
            Alert.status != AlertStatus.RESOLVED,
        )
        .with_for_update(of=PostedMessage, skip_locked=True)
    )
    own = update(PostedMessage).where(PostedMessage.id.in_(still_open)).values(is_own=True)
    db.session.execute(own)


def _named(summary_id: int) -> Select[Alert]:
    wanted = select(Alert).join(PostedMessage, PostedMessage.alert_id == Alert.id)
    return wanted.where(PostedMessage.summary_id == summary_id)
