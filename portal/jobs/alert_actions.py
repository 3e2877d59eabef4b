"""Which alert actions have waited long enough? Every worker asks once a second, and takes what is due.

A loop over rows, for the reasons that escalations.py gives. These times are minutes and hours, so a
second more does not matter.
"""

from datetime import datetime

from sqlalchemy import select

from portal.db import db, now
from portal.domain.routing import timers
from portal.domain.routing.models import ActionTimer
from portal.jobs import batches
from portal.jobs.loops import loop

PAUSE = 1.0  # seconds


@loop(pause=PAUSE)
def watch_actions() -> None:
    """Take what is due now."""
    due(now())


def due(moment: datetime) -> int:
    """Take every timer whose time has come at `moment`, and return how many that were.

    One that fails by a fault of ours does not keep the others waiting; it is tried again later.
    """
    waiting = select(ActionTimer.id).where(ActionTimer.due_at <= moment)
    timer_ids = list(db.session.scalars(waiting.order_by(ActionTimer.due_at)))
    db.session.commit()  # a rollback would make psycopg forget the prepared statements
    return batches.take(timer_ids, moment, timers.take_due, timers.postpone)
