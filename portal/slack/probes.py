"""Is the link still what we think? auth.test finds what no event and no other answer told us."""

from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from sqlalchemy import or_, select

from portal.db import db, now
from portal.jobs.engine import job, wake
from portal.slack import workspace
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import WORKING, SlackInstallation, of_account

EVERY = timedelta(hours=6)  # product.md 2.2
AGAIN = timedelta(minutes=5)  # when Slack could not answer

log = structlog.get_logger()


@job("probe:{account_id}")
def probe(account_id: int) -> None:
    """Ask Slack who we are: a dead token breaks the link, a new name or address is followed."""
    installation = of_account(account_id)
    if installation is None or not installation.is_working:
        return
    credentials = installation.credentials
    db.session.commit()
    try:
        identity = workspace.call(credentials, "auth.test")
    except SlackError as problem:
        log.warning("probe_failed", account_id=account_id, slack_error=problem.code)
        if problem.meaning is not Meaning.LINK_DEAD:
            wait = timedelta(seconds=problem.retry_after) if problem.retry_after else AGAIN
            wake(probe, at=now() + wait, account_id=account_id)
            db.session.commit()
        return
    installation = of_account(account_id)
    if installation is not None and identity.get("team_id") == installation.team_id:
        installation.probed_at = now()
        installation.team_name = str(identity.get("team") or installation.team_name)
        installation.team_url = str(identity.get("url") or installation.team_url)
        installation.enterprise_id = identity.get("enterprise_id") or None
    db.session.commit()


def notice_domain(installation: SlackInstallation, domain: str) -> None:
    """Have Slack asked for the workspace's address if a click came from another one.

    Not more often than every five minutes: what the address looks like is Slack's affair. A
    transaction of its own, since the click may be refused.
    """
    known, _, at = (urlsplit(installation.team_url).hostname or "").partition(".")
    is_other = domain not in ("", known) and at.endswith(("slack.com", "slack-gov.com"))
    looked_at = installation.probed_at or installation.installed_at
    if is_other and installation.is_working and looked_at < now() - AGAIN:
        wake(probe, account_id=installation.account_id)
        db.session.commit()


def due() -> list[int]:
    """The accounts whose links were not looked at for six hours."""
    long_ago = now() - EVERY
    wanted = select(SlackInstallation.account_id).where(
        SlackInstallation.state.in_(WORKING),
        SlackInstallation.installed_at < long_ago,
        or_(SlackInstallation.probed_at.is_(None), SlackInstallation.probed_at < long_ago),
    )
    return list(db.session.scalars(wanted.order_by(SlackInstallation.account_id)))
