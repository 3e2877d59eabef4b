"""Whose notification is due? Every worker asks four times a second, as it does for escalations."""

from datetime import datetime

from sqlalchemy import select

from portal.db import db, now
from portal.domain.notifications import operations
from portal.domain.notifications.models import Notification, NotificationState
from portal.jobs import batches
from portal.jobs.engine import job
from portal.jobs.loops import loop

PAUSE = 0.25  # seconds


@loop(pause=PAUSE)
def notify() -> None:
    """Take what is due now; why this is a loop: jobs/escalations.py."""
    due(now())


def due(moment: datetime) -> int:
    """Send everything that is due at the moment, and return how many that were."""
    waiting = (
        select(Notification.id)
        .where(Notification.state == NotificationState.PLANNED, Notification.due_at <= moment)
        .order_by(Notification.due_at)
    )
    ids = list(db.session.scalars(waiting))
    db.session.commit()  # a rollback would make psycopg forget the prepared statements
    return batches.take(ids, moment, operations.take_due, operations.postpone)


@job("next_way:{alert_id}:{user_id}")
def next_way(alert_id: int, user_id: int) -> None:
    """A job, because whoever finds that a way failed holds rows that others wait for."""
    operations.next_way(alert_id, user_id)
