"""Which alerts may somebody see?"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import defer, joinedload

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import (
    OPENINGS,
    Alert,
    AlertStatus,
    ReceivedEvent,
    TimelineEntry,
    TimelineKind,
)
from portal.domain.sources.models import AlertSource
from portal.errors import NotFound

PAGE = 50
JOINED_LISTED = 20
OTHERS_LISTED = 100
JOINED = TimelineEntry.kind == TimelineKind.EVENT_RECEIVED


def visible_to(viewer: User) -> Select[Alert]:
    """Alerts of the viewer's account; stakeholders and support staff see none."""
    if not viewer.can(Permission.SEE_ALERTS):
        return select(Alert).where(false())
    return select(Alert).where(Alert.account_id == viewer.account_id)


def alert(viewer: User, alert_id: int) -> Alert:
    """Raises NotFound, also for an alert of another account."""
    found = db.session.scalar(visible_to(viewer).where(Alert.id == alert_id))
    if found is None:
        raise NotFound("There is no such alert in your account.")
    return found


def locked(by: User, alert_id: int) -> Alert:
    """The alert as it is now, kept from changing until the transaction ends. Raises NotFound.

    NO KEY, because the timeline entries of others may go on referring to it: a lane that writes one
    holds what we are about to change.
    """
    wanted = visible_to(by).where(Alert.id == alert_id).with_for_update(key_share=True)
    found = db.session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("This alert is not available here.")
    return found


def alerts_of(
    viewer: User,
    *,
    statuses: Collection[AlertStatus],
    source_id: int | None = None,
    before_id: int | None = None,
    most: int = PAGE,
) -> list[Alert]:
    """The newest alerts first, one more than a page of `most` holds if there are more."""
    wanted = visible_to(viewer).where(Alert.status.in_(statuses))
    if source_id is not None:
        wanted = wanted.where(Alert.source_id == source_id)
    if before_id is not None:
        wanted = wanted.where(Alert.id < before_id)
    people = joinedload(Alert.acknowledged_by), joinedload(Alert.resolved_by)
    heavy = defer(Alert.details), defer(Alert.custom_details)  # a mebibyte each, for one line
    wanted = wanted.options(joinedload(Alert.source), *people, *heavy)
    return list(db.session.scalars(wanted.order_by(Alert.id.desc()).limit(most + 1)))


def open_counts(viewer: User) -> dict[AlertStatus, int]:
    """How many alerts are pending and how many acknowledged."""
    seen = visible_to(viewer).where(Alert.status != AlertStatus.RESOLVED).subquery()
    rows: Any = db.session.execute(select(seen.c.status, func.count()).group_by(seen.c.status))
    counts = {status: int(number) for status, number in rows}
    return {s: counts.get(s, 0) for s in (AlertStatus.PENDING, AlertStatus.ACKNOWLEDGED)}


def timeline(alert: Alert) -> list[TimelineEntry]:
    """What happened, in order: the opening, and of what followed the newest.

    A noisy source sends thousands, and every open page asks for the timeline every few seconds.
    """
    of_alert = TimelineEntry.alert_id == alert.id
    newest = select(TimelineEntry.id).where(of_alert).order_by(TimelineEntry.id.desc())
    listed = (
        TimelineEntry.kind.in_(OPENINGS)
        | TimelineEntry.id.in_(newest.where(JOINED).limit(JOINED_LISTED))
        | TimelineEntry.id.in_(newest.where(~JOINED).limit(OTHERS_LISTED))
    )
    wanted = select(TimelineEntry).where(of_alert, listed)
    return list(db.session.scalars(wanted.order_by(TimelineEntry.id)))


def left_out(alert: Alert, shown: list[TimelineEntry]) -> tuple[int, int]:
    """How many events that joined, and how many other entries, its timeline does not list."""
    joined = sum(entry.kind is TimelineKind.EVENT_RECEIVED for entry in shown)
    counted = select(func.count()).select_from(TimelineEntry)
    others = counted.where(TimelineEntry.alert_id == alert.id, ~JOINED)
    all_others = int(db.session.execute(others).scalar_one())
    return max(0, alert.event_count - 1 - joined), all_others - (len(shown) - joined)


def comments(alert: Alert) -> list[TimelineEntry]:
    """All of them, the oldest first."""
    wanted = select(TimelineEntry).where(
        TimelineEntry.alert_id == alert.id, TimelineEntry.kind == TimelineKind.COMMENT_ADDED
    )
    return list(db.session.scalars(wanted.order_by(TimelineEntry.id)))


def event_log(source: AlertSource, *, before: datetime | None = None) -> list[ReceivedEvent]:
    """The newest events of a source, with what became of them; one more than a page holds, if any.

    `before` is when the last one of the page before came in.
    """
    wanted = select(ReceivedEvent).where(ReceivedEvent.source_id == source.id)
    if before is not None:
        wanted = wanted.where(ReceivedEvent.received_at < before)
    newest_first = wanted.order_by(ReceivedEvent.received_at.desc())
    return list(db.session.scalars(newest_first.limit(PAGE + 1)))


def last_event_at(source: AlertSource) -> datetime | None:
    wanted = select(func.max(ReceivedEvent.received_at)).where(ReceivedEvent.source_id == source.id)
    return db.session.execute(wanted).scalar_one()
