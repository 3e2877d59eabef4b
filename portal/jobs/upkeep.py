"""What is cleaned up and looked after by the clock?"""

from datetime import timedelta

from sqlalchemy import delete

from portal.db import db, now
from portal.domain import rate_limits
from portal.domain.accounts.models import SignIn
from portal.domain.alerts.models import ReceivedEvent
from portal.jobs.engine import every
from portal.mail import sending as mail
from portal.slack import dedicated, user_groups
from portal.slack import upkeep as slack

EVENT_LOG_KEPT = timedelta(days=30)
COUNTERS_KEPT = timedelta(hours=48)


@every("17 * * * *", name="prune")
def prune() -> None:
    """Hourly: delete what explains nothing any more."""
    moment = now()
    rate_limits.prune(moment - COUNTERS_KEPT)
    old_events = delete(ReceivedEvent).where(ReceivedEvent.received_at < moment - EVENT_LOG_KEPT)
    db.session.execute(old_events)
    db.session.execute(delete(SignIn).where(SignIn.expires_at < moment))
    slack.prune(moment)
    db.session.commit()


@every("* * * * *", name="wake_behind")
def wake_behind() -> None:
    """Every minute: wake whatever is due and, for whatever reason, has no job that looks at it.

    A net, not the way: every change wakes its own job in its own transaction.
    """
    slack.wake_behind()
    mail.wake_under_way()
    db.session.commit()


@every("*/5 * * * *", name="look_after_links")
def look_after_links() -> None:
    """Every five minutes: tokens that end soon, links not heard of for long."""
    slack.look_after_links()
    db.session.commit()


@every("41 * * * *", name="compare_user_groups")
def compare_user_groups() -> None:
    """Hourly: set right the user groups that somebody changed by hand in Slack."""
    user_groups.compare_all()
    db.session.commit()


@every("23 * * * *", name="archive_channels")
def archive_channels() -> None:
    """Hourly: archive the channels of alerts that were resolved days ago, where that is wanted."""
    dedicated.archive_old(now())
    db.session.commit()
