"""What do timers and people do to notifications? Each function is one transaction."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.orm import selectinload

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import AlertStatus, Priority
from portal.domain.facts import NotificationDue, announce
from portal.domain.notifications import outcomes, queries
from portal.domain.notifications.models import (
    Notification,
    NotificationState,
    Preferences,
    Way,
    defaults,
    muted_words,
)
from portal.errors import Conflict, Invalid

LONGEST_WAIT = 24 * 60  # minutes
LONGEST_MUTE = 14 * 24  # hours
CLOCKS_AGREE = timedelta(seconds=2)
BETWEEN_TESTS = timedelta(seconds=20)
AGAIN_AFTER_A_FAULT = timedelta(minutes=1)
TOLD_ALREADY = (NotificationState.UNDER_WAY, NotificationState.SENT)


def take_due(notification_ids: Collection[int], moment: datetime) -> int:
    """Send those of these that are due, and return how many that were. Several workers share them."""
    due = select(Notification).where(
        Notification.id.in_(notification_ids),
        Notification.state == NotificationState.PLANNED,
        Notification.due_at <= moment,
    )
    return _take(due.order_by(Notification.due_at), moment)


def postpone(notification_id: int) -> None:
    """Try one again later that failed by a fault of ours, so that it does not stop the others."""
    later = update(Notification).where(
        Notification.id == notification_id, Notification.state == NotificationState.PLANNED
    )
    db.session.execute(later.values(due_at=now() + AGAIN_AFTER_A_FAULT))
    db.session.commit()


def bring_near(moment: datetime) -> None:
    """What was planned by a clock that was ahead keeps its wait, counted from now."""
    ahead = Notification.created_at - moment
    wrong = (
        select(Notification.id)
        .where(
            Notification.state == NotificationState.PLANNED,
            Notification.created_at > moment + CLOCKS_AGREE,
        )
        .with_for_update(skip_locked=True)
    )
    anew = update(Notification).where(Notification.id.in_(wrong))
    moved = {"due_at": Notification.due_at - ahead, "created_at": moment}
    db.session.execute(anew.values(moved), execution_options={"synchronize_session": False})
    db.session.commit()


def next_way(alert_id: int, user_id: int) -> None:
    """One way has failed: what was planned for later on the next one is sent now."""
    following = select(Notification).where(
        Notification.alert_id == alert_id,
        Notification.user_id == user_id,
        Notification.state == NotificationState.PLANNED,
    )
    _take(following.order_by(Notification.due_at).limit(1), now())


def _take(due: Select[Notification], moment: datetime) -> int:
    """Of these, hand on what is still wanted. Rows that another worker is at are its own."""
    due = due.options(selectinload(Notification.user), selectinload(Notification.alert))
    due = due.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    rows = list(db.session.scalars(due))
    chosen = queries.preferences(row.user_id for row in rows)
    for row in rows:
        until = chosen[row.user_id].muted_at(moment)
        if not row.user.can(Permission.RESPOND_TO_ALERTS) or _is_answered(row):
            outcomes.cancelled([row.id])
        elif until is not None:
            outcomes.cancelled([row.id])
            asked = [(row.alert_id or 0, row.user_id)]
            outcomes.not_told(asked, {row.user_id: muted_words(until)})
        else:
            row.state = NotificationState.UNDER_WAY
            announce(NotificationDue(row.id))
    db.session.commit()
    return len(rows)


def _is_answered(row: Notification) -> bool:
    """Whoever was asked although somebody has the alert already is told once, on one way."""
    if row.alert is None or row.alert.status is AlertStatus.PENDING:
        return False
    told = select(Notification.id).where(
        Notification.alert_id == row.alert_id,
        Notification.user_id == row.user_id,
        Notification.state.in_(TOLD_ALREADY),
    )
    return not row.alert.is_open or db.session.scalar(told.limit(1)) is not None


def choose(
    minutes: Mapping[Priority, Mapping[Way, int | None]],
    *,
    status_updates: bool | None = None,
    by: User,
) -> None:
    """Set after how many minutes each way is used; None is never. Raises Invalid.

    `status_updates` are Slack's; None leaves them as they are.
    """
    by.require(Permission.OWN_PROFILE)
    chosen = _own(by)
    if status_updates is not None:
        chosen.status_updates = status_updates
    for priority, ways in minutes.items():
        for way, after in ways.items():
            name = f"{way}_{priority}"
            if after is not None and not 0 <= after <= LONGEST_WAIT:
                raise Invalid("Please choose one of the times in the list.", field=name)
            setattr(chosen, name, after)
    db.session.commit()


def mute(hours: int, *, by: User) -> datetime:
    """Be told nothing for so many hours. Raises Invalid; returns until when."""
    by.require(Permission.OWN_PROFILE)
    if not 1 <= hours <= LONGEST_MUTE:
        raise Invalid("Please choose one of the times in the list.", field="hours")
    until = now() + timedelta(hours=hours)
    _own(by).muted_until = until
    db.session.commit()
    return until


def unmute(*, by: User) -> None:
    by.require(Permission.OWN_PROFILE)
    _own(by).muted_until = None
    db.session.commit()


def send_test(ways: Collection[Way], *, by: User) -> None:
    """Tell the person themselves, on each of these ways, that this is a test. Not too often."""
    by.require(Permission.OWN_PROFILE)
    if queries.tests_of(by, since=now() - BETWEEN_TESTS):
        raise Conflict("A test was sent a moment ago. Please wait for it, then try again.")
    tests = [
        Notification(user_id=by.id, way=way, due_at=now(), state=NotificationState.UNDER_WAY)
        for way in ways
    ]
    db.session.add_all(tests)
    db.session.flush()
    for test in tests:
        announce(NotificationDue(test.id))
    db.session.commit()


def _own(by: User) -> Preferences:
    """The person's row, made on first use and locked."""
    wanted = select(Preferences).where(Preferences.user_id == by.id).with_for_update()
    chosen = db.session.scalar(wanted)
    if chosen is None:
        chosen = defaults(by.id)
        db.session.add(chosen)
    return chosen
