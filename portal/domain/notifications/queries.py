"""How does somebody want to be told, and how did it go?"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.notifications.models import Notification, Preferences, defaults


def preferences_of(person: User) -> Preferences:
    """What the person chose, else the defaults (which belong to no session)."""
    return preferences([person.id])[person.id]


def preferences(user_ids: Iterable[int]) -> dict[int, Preferences]:
    """The same for many at once, by the person's id; everybody has an entry."""
    ids = set(user_ids)
    wanted = select(Preferences).where(Preferences.user_id.in_(ids))
    chosen = {row.user_id: row for row in db.session.scalars(wanted)}
    return {user_id: chosen.get(user_id) or defaults(user_id) for user_id in ids}


def tests_of(person: User, *, since: datetime) -> list[Notification]:
    """The test notifications that the person sent themselves, the newest of each way."""
    wanted = select(Notification).where(
        Notification.user_id == person.id,
        Notification.alert_id.is_(None),
        Notification.created_at >= since,
    )
    newest = {test.way: test for test in db.session.scalars(wanted.order_by(Notification.id))}
    return list(newest.values())
