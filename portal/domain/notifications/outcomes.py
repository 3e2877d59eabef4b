"""What became of a notification? Said on the alert's timeline, in the caller's transaction."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import TimelineEntry, TimelineKind
from portal.domain.facts import NotificationFailed, announce
from portal.domain.notifications.models import WAYS, Notification, NotificationState, Way


class Ended(NamedTuple):
    alert_id: int | None
    user_id: int
    way: Way


OPEN = (NotificationState.PLANNED, NotificationState.UNDER_WAY)


def sent(notification_ids: Collection[int], *, perhaps_twice: bool = False) -> None:
    """They have it. That holds whatever we thought meanwhile, also for a cancelled one."""
    rows = _end(notification_ids, NotificationState.SENT, tuple(NotificationState))
    said = {"perhaps_twice": True} if perhaps_twice else {}
    _record(rows, TimelineKind.NOTIFIED, **said)


def failed(notification_ids: Collection[int], because: str) -> None:
    """They were not told on this way, for this reason (a sentence); the next way follows at once."""
    rows = _end(notification_ids, NotificationState.FAILED, OPEN, because)
    _record(rows, TimelineKind.NOTIFICATION_FAILED, because=because)
    for row in rows:
        if row.alert_id is not None:
            announce(NotificationFailed(row.alert_id, row.user_id))


def cancelled(notification_ids: Collection[int], because: str | None = None) -> None:
    """It is not wanted any more. Nothing is said of it."""
    _end(notification_ids, NotificationState.CANCELLED, OPEN, because)


def not_told(asked: Sequence[tuple[int, int]], because: dict[int, str]) -> None:
    """These people (alert, person) want no notification: why, by person."""
    names = _names({user_id for _, user_id in asked})
    for alert_id, user_id in asked:
        data = {"person": names[user_id], "because": because[user_id]}
        _add(alert_id, TimelineKind.NOTIFICATION_FAILED, "Tocsin", data)


def _end(
    notification_ids: Collection[int],
    state: NotificationState,
    before: Collection[NotificationState],
    because: str | None = None,
) -> Sequence[Ended]:
    """One statement, so that of two who end the same one only the first says so."""
    if not notification_ids:
        return []
    ended = (
        update(Notification)
        .where(Notification.id.in_(notification_ids), Notification.state.in_(before))
        .where(Notification.state != state)
        .values(state=state, last_error=because, done_at=now())
        .returning(Notification.alert_id, Notification.user_id, Notification.way)
        .execution_options(synchronize_session=False)
    )
    return [Ended(*row) for row in db.session.execute(ended)]


def _record(rows: Sequence[Ended], kind: TimelineKind, **more: Any) -> None:
    names = _names({user_id for _, user_id, _ in rows})
    for alert_id, user_id, way in rows:
        if alert_id is not None:
            data = {"person": names[user_id], "way": WAYS[way], **more}
            _add(alert_id, kind, WAYS[way].capitalize(), data)


def _add(alert_id: int, kind: TimelineKind, actor: str, data: dict[str, Any]) -> None:
    entry = TimelineEntry(alert_id=alert_id, kind=kind, actor_name=actor, data=data)
    db.session.add(entry)


def _names(user_ids: Collection[int]) -> dict[int, str]:
    if not user_ids:
        return {}
    rows: Any = db.session.execute(select(User.id, User.name).where(User.id.in_(user_ids)))
    return dict(rows.all())
