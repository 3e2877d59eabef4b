"""Whose notification is due? Every worker asks four times a second, as it does for escalations."""

from datetime import datetime

from portal.db import now
from portal.domain.notifications import operations
from portal.jobs.engine import job
from portal.jobs.loops import loop

PAUSE = 0.25  # seconds


@loop(pause=PAUSE)
def notify() -> None:
    """Take what is due now; why this is a loop: jobs/escalations.py."""
    due(now())


def due(moment: datetime) -> int:
    """Send everything that is due at the moment, and return how many that were."""
    taken, number = 0, operations.BATCH
    while number == operations.BATCH:
        number = operations.take_due(moment)
        taken += number
    return taken


@job("next_way:{alert_id}:{user_id}")
def next_way(alert_id: int, user_id: int) -> None:
    """A job, because whoever finds that a way failed holds rows that others wait for."""
    operations.next_way(alert_id, user_id)
