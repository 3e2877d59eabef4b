"""How is an event stored with what it does to its alert, the timeline and the event log? At once.

Storms bring events by the hundred: one statement instead of three is a third of what each of them
costs. Everything else about an alert goes through the session as usual.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import CTE, BindParameter, Select, bindparam, insert, select, update
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.elements import KeyedColumnElement

from portal.db import Base, db
from portal.domain.alerts.models import Alert, ReceivedEvent, TimelineEntry

ALERT = [column for column in Alert.__table__.columns if column.name != "id"]
RECEIVED = [column for column in ReceivedEvent.__table__.columns if column.name != "alert_id"]
ENTRY = [c for c in TimelineEntry.__table__.columns if c.name not in ("id", "alert_id")]
# What a further event may change of an open alert, beside its count.
JOINED = [Alert.__table__.c[name] for name in ("last_event_at", "links", "images", "labels")]


def _value(prefix: str, column: KeyedColumnElement[Any]) -> BindParameter[Any]:
    return bindparam(f"{prefix}_{column.key}", type_=column.type)


def _with_lines(alert: CTE) -> Select[Any]:
    """Put the alert away, with a line in its timeline and one in the event log."""
    noted = insert(TimelineEntry).from_select(
        ["alert_id", *(column.name for column in ENTRY)],
        select(alert.c.id, *(_value("entry", column) for column in ENTRY)),
    )
    logged = insert(ReceivedEvent).from_select(
        ["alert_id", *(column.name for column in RECEIVED)],
        select(alert.c.id, *(_value("event", column) for column in RECEIVED)),
    )
    return select(*alert.c).add_cte(noted.cte("noted"), logged.cte("logged"))


OPEN = _with_lines(
    insert(Alert)
    .values({column.name: _value("alert", column) for column in ALERT})
    .returning(Alert.id)
    .cte("opened")
)
JOIN = _with_lines(
    update(Alert)
    .where(Alert.id == bindparam("joined_id"))
    .values(
        {column.name: _value("alert", column) for column in JOINED}
        | {"event_count": Alert.event_count + 1}
    )
    .returning(Alert.id, Alert.event_count)
    .cte("joined")
)


def open_alert(alert: Alert, entry: TimelineEntry, received: ReceivedEvent) -> None:
    """Store the three, none of which is in the session yet, with every column set.

    Afterwards the alert is in the session as if it had been loaded; the other two stay outside.
    """
    values = _values("alert", alert, ALERT) | _lines(entry, received)
    alert.id = db.session.execute(OPEN, values).scalar_one()
    received.alert_id = alert.id
    make_transient_to_detached(alert)
    db.session.add(alert)


def open_alerts(opened: Iterable[tuple[Alert, TimelineEntry, ReceivedEvent]]) -> None:
    """The same for many: a statement for all of the alerts, one for their lines, one for the log."""
    alerts, entries, events = zip(*opened, strict=True)
    many = insert(Alert).returning(Alert.id, sort_by_parameter_order=True)
    ids = db.session.scalars(many, [_row(alert, ALERT) for alert in alerts]).all()
    for alert, received, alert_id in zip(alerts, events, ids, strict=True):
        alert.id = received.alert_id = alert_id
        make_transient_to_detached(alert)
        db.session.add(alert)
    for kind, columns, rows in ((TimelineEntry, ENTRY, entries), (ReceivedEvent, RECEIVED, events)):
        lines = [
            {"alert_id": alert_id, **_row(row, columns)}
            for row, alert_id in zip(rows, ids, strict=True)
        ]
        db.session.execute(insert(kind).returning(kind.id), lines)  # RETURNING: in one statement


def join_alert(
    alert: Alert, changes: Mapping[str, Any], entry: TimelineEntry, received: ReceivedEvent
) -> None:
    """Store what an event does to the alert, which is in the session and locked: `changes` has a
    value for each of JOINED. The other two stay outside, as above."""
    values = {f"alert_{name}": value for name, value in changes.items()}
    given = values | _lines(entry, received) | {"joined_id": alert.id}
    _, event_count = db.session.execute(JOIN, given).one()
    for name, value in {**changes, "event_count": event_count}.items():
        set_committed_value(alert, name, value)
    received.alert_id = alert.id


def _lines(entry: TimelineEntry, received: ReceivedEvent) -> dict[str, Any]:
    return _values("entry", entry, ENTRY) | _values("event", received, RECEIVED)


def _row(row: Base, columns: Sequence[KeyedColumnElement[Any]]) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in columns}


def _values(prefix: str, row: Base, columns: Sequence[KeyedColumnElement[Any]]) -> dict[str, Any]:
    return {f"{prefix}_{column.key}": getattr(row, column.key) for column in columns}
