"""What does an event of a monitoring tool change? The alert it belongs to, or a new one."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select, text

from portal.db import db, now
from portal.domain.alerts import storing, timeline
from portal.domain.alerts.incoming import EventType, IncomingEvent
from portal.domain.alerts.models import (
    LONGEST_SUMMARY,
    Alert,
    AlertStatus,
    Outcome,
    Priority,
    ReceivedEvent,
    TimelineEntry,
    TimelineKind,
    Via,
)
from portal.domain.facts import (
    AlertAcknowledged,
    AlertCreated,
    AlertEventJoined,
    AlertResolved,
    announce,
)
from portal.domain.sources.models import AlertSource

Change = tuple[Outcome, Alert | None]


class Opened(NamedTuple):
    """An alert that an event opens, and what is stored with it."""

    alert: Alert
    entry: TimelineEntry
    received: ReceivedEvent
    event: IncomingEvent


LOCK_KEYS = text(
    "SELECT pg_advisory_xact_lock(CAST(:source_id AS int), key) FROM"
    " (SELECT DISTINCT hashtext(each) AS key FROM unnest(CAST(:keys AS text[])) AS each"
    " ORDER BY 1) AS ordered"
)


def receive(source: AlertSource, event: IncomingEvent) -> ReceivedEvent:
    """Store one event and what follows from it, in one transaction; it is safe once this returns.

    Which alert it belongs to: product.md 7.3, the newest open alert of the source with the same
    key. Events with the same key wait for each other, so that two of them never open two alerts.
    """
    (received,) = receive_all(source, [event])
    return received


def receive_all(source: AlertSource, events: Sequence[IncomingEvent]) -> list[ReceivedEvent]:
    """Store several events in their order and what follows from them, in one transaction: all of
    them are safe once this returns, or none is stored."""
    keys = sorted({key for event in events if (key := fold(event.alert_key)) is not None})
    if keys:  # in one order, so that two such transactions never wait for each other in a circle
        db.session.execute(LOCK_KEYS, {"source_id": source.id % 2**31, "keys": keys})
    known = _open_alerts(source, keys)
    stored: list[ReceivedEvent] = []
    opened: list[Opened] = []  # stored together, at the latest when something else happens to one
    alerts: list[Alert | None] = []  # held until the end: the session forgets what nobody holds
    for event in events:
        key = fold(event.alert_key)
        alert = known.get(key) if key else None
        if alert is not None and alert.id is None:
            _open(opened)
        outcome, alert = HANDLERS[event.type](source, event, alert)
        received = _received(source, event, outcome, alert)
        if alert is not None and outcome is Outcome.OPENED:
            entry = _entry(alert, TimelineKind.CREATED, alert_key=event.alert_key)
            opened.append(Opened(alert, entry, received, event))
        elif alert is not None and outcome is Outcome.JOINED:
            _join(alert, event, received)
        else:
            db.session.add(received)
        if key is not None and alert is not None:
            known[key] = alert
            if alert.status is AlertStatus.RESOLVED:
                del known[key]
        stored.append(received)
        alerts.append(alert)
    _open(opened)
    db.session.flush()
    for received in stored:  # they can be read without asking the database once more
        if received in db.session:
            db.session.expunge(received)
    db.session.commit()
    return stored


def _received(
    source: AlertSource, event: IncomingEvent, outcome: Outcome, alert: Alert | None
) -> ReceivedEvent:
    return ReceivedEvent(
        id=uuid.uuid4(),
        source_id=source.id,
        received_at=now(),
        type=event.type,
        alert_key=event.alert_key,
        summary=event.summary[:LONGEST_SUMMARY],
        outcome=outcome,
        alert_id=alert.id if alert else None,
        notes=event.notes,
    )


def _open(opened: list[Opened]) -> None:
    """Store these new alerts, and forget that they wait for it."""
    if len(opened) == 1:
        storing.open_alert(*opened[0][:3])
    elif opened:
        storing.open_alerts([each[:3] for each in opened])
    for each in opened:
        announce(AlertCreated(each.alert.id))
        _add_comments(each.alert, each.event)
    opened.clear()


def _join(alert: Alert, event: IncomingEvent, received: ReceivedEvent) -> None:
    entry = _entry(alert, TimelineKind.EVENT_RECEIVED, summary=event.summary[:LONGEST_SUMMARY])
    storing.join_alert(alert, _joined(alert, event), entry, received)
    _add_comments(alert, event)
    announce(AlertEventJoined(alert.id))


def fold(alert_key: str | None) -> str | None:
    """Keys are trimmed and compared ignoring case; an empty one is none."""
    return (alert_key or "").strip().lower() or None


def _alert(source: AlertSource, event: IncomingEvent, alert: Alert | None) -> Change:
    if source.disabled_at is not None:
        return Outcome.SOURCE_DISABLED, None
    if alert is None:
        return Outcome.OPENED, _new(source, event)
    return Outcome.JOINED, alert


def _new(source: AlertSource, event: IncomingEvent) -> Alert:
    """The alert as it will be opened; it is not stored yet."""
    too_long, moment = len(event.summary) > LONGEST_SUMMARY, now()
    return Alert(
        account_id=source.account_id,
        source_id=source.id,
        source=source,
        alert_key=fold(event.alert_key),
        summary=event.summary[: LONGEST_SUMMARY - 1] + "…" if too_long else event.summary,
        details="\n\n".join(filter(None, [event.summary if too_long else "", event.details])),
        priority=Priority((event.priority or Priority.HIGH).lower()),
        severity=event.severity,
        links=event.links,
        images=event.images,
        labels=event.labels,
        custom_details=event.custom_details,
        routing_key=event.routing_key,
        creation_key=None,
        status=AlertStatus.PENDING,
        event_count=1,
        created_at=moment,
        last_event_at=moment,
    )


def _joined(alert: Alert, event: IncomingEvent) -> dict[str, Any]:
    """What is new is added; what the alert has already stays (product.md 7.3)."""
    return {
        "last_event_at": now(),
        "links": alert.links + [each for each in event.links if each not in alert.links],
        "images": alert.images + [each for each in event.images if each not in alert.images],
        "labels": {**event.labels, **alert.labels},
    }


def _entry(alert: Alert, kind: TimelineKind, **data: str | None) -> TimelineEntry:
    name = alert.source.name
    return TimelineEntry(at=now(), kind=kind, actor_name=name, via=Via.EVENT, data=data)


def _accept(source: AlertSource, event: IncomingEvent, alert: Alert | None) -> Change:
    if alert is None:
        return Outcome.NO_OPEN_ALERT, None
    if alert.status is AlertStatus.ACKNOWLEDGED:
        return Outcome.ALREADY_ACKNOWLEDGED, alert
    alert.status, alert.acknowledged_at = AlertStatus.ACKNOWLEDGED, now()
    _record(alert, TimelineKind.ACKNOWLEDGED)
    announce(AlertAcknowledged(alert.id))
    return Outcome.ACKNOWLEDGED, alert


def _resolve(source: AlertSource, event: IncomingEvent, alert: Alert | None) -> Change:
    if alert is None:
        return Outcome.NO_OPEN_ALERT, None
    alert.status, alert.resolved_at = AlertStatus.RESOLVED, now()
    _record(alert, TimelineKind.RESOLVED)
    announce(AlertResolved(alert.id))
    return Outcome.RESOLVED, alert


def _comment(source: AlertSource, event: IncomingEvent, alert: Alert | None) -> Change:
    if alert is None:
        return Outcome.NO_OPEN_ALERT, None
    _add_comments(alert, event)
    return Outcome.COMMENTED, alert


HANDLERS: dict[EventType, Callable[[AlertSource, IncomingEvent, Alert | None], Change]] = {
    EventType.ALERT: _alert,
    EventType.ACCEPT: _accept,
    EventType.RESOLVE: _resolve,
    EventType.COMMENT: _comment,
}


def _open_alerts(source: AlertSource, keys: Sequence[str]) -> dict[str | None, Alert]:
    """The open alert of each key, locked, in one order."""
    if not keys:
        return {}
    wanted = select(Alert).where(
        Alert.source_id == source.id,
        Alert.alert_key.in_(keys),
        Alert.status != AlertStatus.RESOLVED,
    )
    fresh = wanted.with_for_update(of=Alert, key_share=True).execution_options(
        populate_existing=True
    )
    return {alert.alert_key: alert for alert in db.session.scalars(fresh.order_by(Alert.id))}


def _record(alert: Alert, kind: TimelineKind, **data: str | None) -> None:
    timeline.record(alert, kind, by=alert.source, via=Via.EVENT, **data)


def _add_comments(alert: Alert, event: IncomingEvent) -> None:
    for said in event.comments:
        timeline.record(
            alert,
            TimelineKind.COMMENT_ADDED,
            by=said.creator or alert.source.name,
            via=Via.EVENT,
            content=said.content,
        )
