"""What happens when the clock is set back? What a wrong one has planned is brought near again.

A machine that was an hour ahead has written moments that nobody meant. Whatever keeps a moment to
wait for also keeps, or implies, when it was written: what was written in the future is moved along.
A clock that is set forward needs nothing of this: what is due is taken once, and only once.
"""

from datetime import datetime

from portal.db import db, now
from portal.domain.escalation import operations as escalation
from portal.domain.notifications import operations as notifications
from portal.domain.routing import timers
from portal.jobs.loops import loop
from portal.slack import dedicated
from portal.slack import upkeep as slack

PAUSE = 5.0  # seconds


@loop(pause=PAUSE)
def look_at_the_clock() -> None:
    """Every worker looks by itself, whoever's clock was wrong."""
    bring_near(now())


def bring_near(moment: datetime) -> None:
    """Timers and lanes that wait for longer than they were meant to go on as if nothing had been."""
    escalation.bring_near(moment)
    notifications.bring_near(moment)
    timers.bring_near(moment)
    dedicated.bring_near(moment)
    slack.wake_lanes_of_the_future(moment)
    db.session.commit()
