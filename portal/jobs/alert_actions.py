"""Which alert actions have waited long enough? Every worker asks once a second, and takes what is due.

A loop over rows, for the reasons that escalations.py gives. These times are minutes and hours, so a
second more does not matter.
"""

from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal.db import db, now
from portal.domain.routing import timers
from portal.domain.routing.models import ActionTimer
from portal.jobs.loops import loop

PAUSE = 1.0  # seconds
BATCH = 500  # timers in one transaction

log = structlog.get_logger()


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
    db.session.rollback()
    batches = [timer_ids[start : start + BATCH] for start in range(0, len(timer_ids), BATCH)]
    return sum(_take(batch, moment) for batch in batches)


def _take(timer_ids: list[int], moment: datetime) -> int:
    try:
        return timers.take_due(timer_ids, moment)
    except OperationalError:  # the database is away or busy, which the next turn may find cured
        raise
    except Exception:
        db.session.rollback()
        if len(timer_ids) > 1:
            return sum(_take([timer_id], moment) for timer_id in timer_ids)
        log.exception("alert_action_failed", timer_id=timer_ids[0])
        timers.postpone(timer_ids[0])
        return 0
