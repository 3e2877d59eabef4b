"""How is a new alert stored, with the first line of its timeline and of the event log? At once.

Storms open alerts by the hundred: one statement instead of three is a third of what each of them
costs. Everything else about an alert goes through the session as usual.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, bindparam, insert, select
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.sql.elements import KeyedColumnElement

from portal.db import Base, db
from portal.domain.alerts.models import Alert, ReceivedEvent, TimelineEntry

ALERT = [column for column in Alert.__table__.columns if column.name != "id"]
RECEIVED = [column for column in ReceivedEvent.__table__.columns if column.name != "alert_id"]
ENTRY = [c for c in TimelineEntry.__table__.columns if c.name not in ("id", "alert_id")]


def _value(prefix: str, column: KeyedColumnElement[Any]) -> BindParameter[Any]:
    return bindparam(f"{prefix}_{column.key}", type_=column.type)


OPENED = (
    insert(Alert)
    .values({column.name: _value("alert", column) for column in ALERT})
    .returning(Alert.id)
    .cte("opened")
)
NOTED = (
    insert(TimelineEntry)
    .from_select(
        ["alert_id", *(column.name for column in ENTRY)],
        select(OPENED.c.id, *(_value("entry", column) for column in ENTRY)),
    )
    .cte("noted")
)
LOGGED = (
    insert(ReceivedEvent)
    .from_select(
        ["alert_id", *(column.name for column in RECEIVED)],
        select(OPENED.c.id, *(_value("event", column) for column in RECEIVED)),
    )
    .cte("logged")
)
STATEMENT = select(OPENED.c.id).add_cte(NOTED, LOGGED)


def store(alert: Alert, entry: TimelineEntry, received: ReceivedEvent) -> None:
    """Store the three, none of which is in the session yet, with every column set.

    Afterwards the alert is in the session as if it had been loaded; the other two stay outside.
    """
    values = {
        **_values("alert", alert, ALERT),
        **_values("entry", entry, ENTRY),
        **_values("event", received, RECEIVED),
    }
    alert.id = db.session.execute(STATEMENT, values).scalar_one()
    received.alert_id = alert.id
    make_transient_to_detached(alert)
    db.session.add(alert)


def _values(prefix: str, row: Base, columns: Sequence[KeyedColumnElement[Any]]) -> dict[str, Any]:
    return {f"{prefix}_{column.key}": getattr(row, column.key) for column in columns}
