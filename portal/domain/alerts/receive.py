"""What does an event of a monitoring tool change? The alert it belongs to, or a new one."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

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
    known = _with_open_alerts(source, keys)
    stored: list[ReceivedEvent] = []
    alerts: list[Alert | None] = []  # held until the end: the session forgets what nobody holds
    for event in events:
        key = fold(event.alert_key)
        alert = _open_alert(source, key) if key in known else None
        received, alert = _store(source, event, alert)
        stored.append(received)
        alerts.append(alert)
        if key is not None and received.outcome is Outcome.OPENED:
            known.add(key)
    db.session.commit()
    return stored


def _store(
    source: AlertSource, event: IncomingEvent, alert: Alert | None
) -> tuple[ReceivedEvent, Alert | None]:
    outcome, alert = HANDLERS[event.type](source, event, alert)
    received = ReceivedEvent(
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
    if alert is not None and outcome is Outcome.OPENED:
        entry = _entry(alert, TimelineKind.CREATED, alert_key=event.alert_key)
        storing.open_alert(alert, entry, received)
        _add_comments(alert, event)
        announce(AlertCreated(alert.id))
    elif alert is not None and outcome is Outcome.JOINED:
        summary = event.summary[:LONGEST_SUMMARY]
        entry = _entry(alert, TimelineKind.EVENT_RECEIVED, summary=summary)
        storing.join_alert(alert, _joined(alert, event), entry, received)
        _add_comments(alert, event)
        announce(AlertEventJoined(alert.id))
    else:
        db.session.add(received)
        db.session.flush()
        db.session.expunge(received)  # it can be read without asking the database once more
    return received, alert


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


def _with_open_alerts(source: AlertSource, keys: Sequence[str]) -> set[str | None]:
    """Those of the keys that have an open alert; of a single one that is not asked beforehand."""
    if len(keys) < 2:
        return set(keys)
    wanted = select(Alert.alert_key).where(
        Alert.source_id == source.id,
        Alert.alert_key.in_(keys),
        Alert.status != AlertStatus.RESOLVED,
    )
    return set(db.session.scalars(wanted))


def _open_alert(source: AlertSource, key: str | None) -> Alert | None:
    if key is None:
        return None
    wanted = select(Alert).where(
        Alert.source_id == source.id,
        Alert.alert_key == key,
        Alert.status != AlertStatus.RESOLVED,
    )
    fresh = wanted.with_for_update(of=Alert, key_share=True).execution_options(
        populate_existing=True
    )
    return db.session.scalar(fresh)


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
