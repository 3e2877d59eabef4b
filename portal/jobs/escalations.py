"""Whose time has come? Every worker asks four times a second, and takes what is due.

Why a loop, and neither a job per alert nor one that Procrastinate repeats each second:

- The timer is the row `alert_escalations.next_step_at`; acknowledging clears it in its own
  transaction, and a restart or a crash loses nothing. A job per alert would be a second truth, and
  10,000 pending alerts would be 10,000 waiting jobs, fetched one by one when they are all due.
- A repeated job waits in the queue behind jobs that wait for Slack, and its lock outlives a worker
  that was killed, until the job counts as stalled: a quarter of a minute in which nobody is asked.
- A loop costs one look into a partial index that holds the running timers only. Several workers
  share what is due by SKIP LOCKED, and PostgreSQL lets go of a dead worker's rows at once.
"""

from datetime import datetime

from sqlalchemy import select

from portal.db import db, now
from portal.domain.escalation import operations
from portal.domain.escalation.models import AlertEscalation
from portal.jobs import batches
from portal.jobs.loops import loop

PAUSE = 0.25  # seconds


@loop(pause=PAUSE)
def watch() -> None:
    """Take what is due now."""
    due(now())


def due(moment: datetime) -> int:
    """Take every step whose time has come at `moment`, and return how many that were.

    A step that fails by a fault of ours does not keep the others waiting; it is tried again later.
    """
    waiting = (
        select(AlertEscalation.alert_id)
        .where(AlertEscalation.next_step_at <= moment)
        .order_by(AlertEscalation.next_step_at)
    )
    alert_ids = list(db.session.scalars(waiting))
    db.session.commit()  # a rollback would make psycopg forget the prepared statements
    return batches.take(alert_ids, moment, operations.take_due_steps, operations.postpone)
