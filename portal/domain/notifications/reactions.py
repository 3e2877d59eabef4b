"""Who is told, and who no more, because of what happened to an alert? In the same transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select, text, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import Alert, Priority
from portal.domain.facts import (
    AlertAcknowledged,
    AlertRerouted,
    AlertResolved,
    NotificationDue,
    PersonChanged,
    ResponderAdded,
    ResponderRemoved,
    announce,
)
from portal.domain.notifications import outcomes, queries
from portal.domain.notifications.models import Notification, NotificationState, muted_words
from portal.domain.notifications.outcomes import OPEN

Asked = tuple[int, int]  # the ids of an alert and of a person

# Columns as arrays, as in escalation/climbing.py.
BEGIN_ANEW = text(
    "UPDATE notifications SET state = 'cancelled', done_at = :moment"
    " FROM unnest(CAST(:alert_ids AS bigint[]), CAST(:user_ids AS bigint[]))"
    " AS asked (alert_id, user_id)"
    " WHERE notifications.alert_id = asked.alert_id AND notifications.user_id = asked.user_id"
    " AND state = 'planned'"
)
PLAN = text(
    "INSERT INTO notifications (alert_id, user_id, way, due_at, state, created_at, attempts)"
    " SELECT planned.*, :moment, 0"
    " FROM unnest(CAST(:alert_id AS bigint[]), CAST(:user_id AS bigint[]), CAST(:way AS text[]),"
    " CAST(:due_at AS timestamptz[]), CAST(:state AS text[])) AS planned"
    " RETURNING id, state"
)


def plan(facts: Sequence[ResponderAdded]) -> None:
    """Write down when each person asked is told, by their own choice; what is due now goes at once.

    Being asked once more begins anew. Muted people become responders and get no message
    (product.md 8.1); their timeline entry says so.
    """
    asked = list(dict.fromkeys((fact.alert_id, fact.user_id) for fact in facts))
    alert_ids, user_ids = zip(*asked, strict=True)
    pairs = {"alert_ids": list(alert_ids), "user_ids": list(user_ids)}
    db.session.execute(BEGIN_ANEW, pairs | {"moment": now()})
    rows, because = _wanted(asked, now())
    outcomes.not_told([each for each in asked if each[1] in because], because)
    if rows:
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        for notification_id, state in db.session.execute(PLAN, columns | {"moment": now()}):
            if state == NotificationState.UNDER_WAY:
                announce(NotificationDue(notification_id))


def hush(fact: AlertAcknowledged | AlertResolved | AlertRerouted) -> None:
    """Somebody has answered, or others are asked instead: nobody else is told."""
    _cancel(Notification.alert_id == fact.alert_id, Notification.state.in_(OPEN))


def spare(fact: ResponderRemoved) -> None:
    """One person is not asked any more; the others still are."""
    _cancel(
        Notification.alert_id == fact.alert_id,
        Notification.user_id == fact.user_id,
        Notification.state.in_(OPEN),
    )


def forget(fact: PersonChanged) -> None:
    """Whoever may not answer any more is told nothing more."""
    if not db.session.get_one(User, fact.user_id).can(Permission.RESPOND_TO_ALERTS):
        _cancel(Notification.user_id == fact.user_id, Notification.state.in_(OPEN))


def _wanted(
    asked: Sequence[Asked], moment: datetime
) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """The rows to make; and for the people who want none, why, by their ids."""
    alert_ids = {alert_id for alert_id, _ in asked}
    found: Any = db.session.execute(select(Alert.id, Alert.priority).where(Alert.id.in_(alert_ids)))
    priorities: dict[int, Priority] = dict(found.all())
    chosen = queries.preferences(user_id for _, user_id in asked)
    rows: list[dict[str, Any]] = []
    because: dict[int, str] = {}
    for alert_id, user_id in asked:
        priority = priorities[alert_id]
        after = chosen[user_id].after(priority)
        if until := chosen[user_id].muted_at(moment):
            because[user_id] = muted_words(until)
        elif not after:
            because[user_id] = f"They want to be told nothing of {priority} priority."
        else:
            rows += [
                {
                    "alert_id": alert_id,
                    "user_id": user_id,
                    "way": way,
                    "due_at": moment + wait,
                    "state": NotificationState.PLANNED if wait else NotificationState.UNDER_WAY,
                }
                for way, wait in after.items()
            ]
    return rows, because


def _cancel(*which: ColumnElement[bool]) -> None:
    cancelled = {"state": NotificationState.CANCELLED, "done_at": now()}
    db.session.execute(
        update(Notification)
        .where(*which)
        .values(cancelled)
        .execution_options(synchronize_session=False)
    )
