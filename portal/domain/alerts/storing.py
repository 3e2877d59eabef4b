"""How is an event stored with what it does to its alert, the timeline and the event log? At once.

Storms bring events by the hundred: one statement instead of three is a third of what each of them
costs. Everything else about an alert goes through the session as usual.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    BindParameter,
    Select,
    TextClause,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.elements import KeyedColumnElement

from portal.db import Base, db
from portal.domain.alerts.models import Alert, ReceivedEvent, TimelineEntry

ALERT = [column for column in Alert.__table__.columns if column.name != "id"]
RECEIVED = [column for column in ReceivedEvent.__table__.columns if column.name != "alert_id"]
ENTRY = [c for c in TimelineEntry.__table__.columns if c.name not in ("id", "alert_id")]


def _many(kind: type[Base], *names: str) -> TextClause:
    """Insert any number of rows that come as one parameter: thousands of them took the driver longer
    than the database. https://www.postgresql.org/docs/current/functions-json.html"""
    table, columns = kind.__tablename__, ", ".join(names)
    rows = f"jsonb_populate_recordset(NULL::{table}, CAST(:rows AS jsonb))"
    statement = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {rows}"  # noqa: S608 - constants
    return text(statement)


NEXT_IDS = text(
    "SELECT nextval(pg_get_serial_sequence('alerts', 'id')) FROM generate_series(1, :number)"
)
ALERTS = _many(Alert, "id", *(column.name for column in ALERT))
ENTRIES = _many(TimelineEntry, "alert_id", *(column.name for column in ENTRY))
EVENTS = _many(ReceivedEvent, "alert_id", *(column.name for column in RECEIVED))
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


def open_alerts(opened: Sequence[tuple[Alert, TimelineEntry, ReceivedEvent]]) -> None:
    """The same for many: a statement for all of the alerts, one for their lines, one for the log."""
    ids = db.session.scalars(NEXT_IDS, {"number": len(opened)})
    alerts, entries, events = [], [], []
    for alert_id, (alert, entry, received) in zip(ids.all(), opened, strict=True):
        alert.id = received.alert_id = alert_id
        alerts.append(_row(alert, ALERT) | {"id": alert_id})
        entries.append(_row(entry, ENTRY) | {"alert_id": alert_id})
        events.append(_row(received, RECEIVED) | {"alert_id": alert_id})
    for statement, rows in ((ALERTS, alerts), (ENTRIES, entries), (EVENTS, events)):
        db.session.execute(statement, {"rows": json.dumps(rows, default=str)})
    for alert, _, _ in opened:
        make_transient_to_detached(alert)
        db.session.add(alert)


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
