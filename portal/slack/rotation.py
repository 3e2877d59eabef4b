"""How does an expiring token stay good? One refresh at a time, and the new pair is stored first.

https://docs.slack.dev/authentication/using-token-rotation: a token lives for twelve hours; a used
refresh token works a little longer, so that a lost answer can be asked for again.
"""

from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import select

from portal.db import db, now
from portal.jobs.engine import job, wake
from portal.slack import gateway, link_state
from portal.slack.errors import SlackError
from portal.slack.installations import WORKING, Credentials, SlackInstallation

AHEAD = timedelta(hours=2)  # when the clock refreshes, also without any traffic
AT_THE_LATEST = timedelta(minutes=5)  # when a call does not go out with the old token
ONE_ATTEMPT = timedelta(seconds=20)  # longer than the gateway's time-out
LONGEST_WAIT = 600  # seconds
MISMATCH = ("bad_client_secret", "invalid_client_id")  # our settings are not the Slack app's
REFUSED = ("invalid_refresh_token", "token_revoked", "invalid_auth", "account_inactive")

log = structlog.get_logger()


def ends_soon(credentials: Credentials) -> bool:
    return credentials.expires_at is not None and credentials.expires_at < now() + AT_THE_LATEST


def fresh(credentials: Credentials) -> Credentials:
    """The newest credentials, refreshed at Slack unless somebody else is at it.

    Raises SlackError: `token_refreshing` while another process refreshes a token that has expired,
    `invalid_refresh_token` once the link is broken, else what kept Slack from answering.
    """
    installation = _locked(credentials.account_id)
    if installation is None or not installation.is_working:
        db.session.commit()
        raise SlackError("not_linked" if installation is None else "link_broken")
    if installation.bot_token != credentials.token or installation.refresh_token is None:
        newest = installation.credentials
        db.session.commit()
        return newest
    moment = now()
    if installation.refresh_not_before and installation.refresh_not_before > moment:
        db.session.commit()
        return _old_one(credentials, SlackError("token_refreshing", retry_after=1))
    installation.refresh_not_before = moment + ONE_ATTEMPT
    used = installation.refresh_token
    db.session.commit()
    try:
        answer = gateway.refresh(used)
    except SlackError as problem:
        return _failed(credentials, used, problem)
    return _stored(credentials, used, answer)


@job("refresh:{account_id}")
def refresh_ahead(account_id: int) -> None:
    """Refresh a token that ends soon although nothing is being sent.

    After a failure it comes back by itself: a lost answer is to be had for a short while only.
    """
    installation = db.session.scalar(
        select(SlackInstallation).where(SlackInstallation.account_id == account_id)
    )
    if installation is None or not _is_due(installation):
        return
    credentials = installation.credentials
    db.session.commit()
    try:
        fresh(credentials)
    except SlackError as problem:
        log.warning("token_not_refreshed", account_id=account_id, slack_error=problem.code)
    present = _locked(account_id)
    if present is not None and present.refresh_not_before and _is_due(present):
        wake(refresh_ahead, at=present.refresh_not_before, account_id=account_id)
    db.session.commit()


def due() -> list[int]:
    """The accounts whose tokens the clock should refresh now."""
    wanted = select(SlackInstallation.account_id).where(
        SlackInstallation.state.in_(WORKING),
        SlackInstallation.refresh_token.is_not(None),
        SlackInstallation.token_expires_at < now() + AHEAD,
    )
    return list(db.session.scalars(wanted.order_by(SlackInstallation.account_id)))


def expires_at(answer: dict[str, Any]) -> Any:
    """When the token of an `oauth.v2.access` answer ends; None for an app without rotation."""
    seconds = answer.get("expires_in")
    return now() + timedelta(seconds=int(seconds)) if seconds else None


def _is_due(installation: SlackInstallation) -> bool:
    ends = installation.token_expires_at
    ends_soon = ends is not None and ends < now() + AHEAD
    # A refresh that failed is still wanted: Slack may have called the token expired before its time.
    return installation.is_working and (ends_soon or installation.refresh_failures > 0)


def _stored(credentials: Credentials, used: str, answer: dict[str, Any]) -> Credentials:
    installation = _locked(credentials.account_id)
    if installation is None:
        db.session.commit()
        raise SlackError("not_linked")
    if installation.refresh_token == used:  # not authorized anew meanwhile
        installation.bot_token = str(answer["access_token"])
        installation.refresh_token = str(answer.get("refresh_token") or used)
        installation.token_expires_at = expires_at(answer)
        installation.refresh_not_before, installation.refresh_failures = None, 0
    newest = installation.credentials
    db.session.commit()
    return newest


def _failed(credentials: Credentials, used: str, problem: SlackError) -> Credentials:
    log.warning("refresh_failed", account_id=credentials.account_id, slack_error=problem.code)
    installation = _locked(credentials.account_id)
    if installation is None or installation.refresh_token != used:
        newest = installation.credentials if installation else None
        db.session.commit()
        if newest is None:
            raise SlackError("not_linked")
        return newest
    installation.refresh_failures += 1
    wait = problem.retry_after or min(LONGEST_WAIT, 5 * 2 ** min(installation.refresh_failures, 9))
    installation.refresh_not_before = now() + timedelta(seconds=wait)
    if problem.code in REFUSED:
        link_state.break_off(installation, "invalid_refresh_token")
        problem = SlackError("invalid_refresh_token")
    elif problem.code in MISMATCH and not _is_good(credentials):
        link_state.break_off(installation, problem.code)
    else:  # whoever called may come back too late for a lost answer
        account_id, at = installation.account_id, installation.refresh_not_before
        wake(refresh_ahead, at=at, account_id=account_id)
    db.session.commit()
    if problem.code == "invalid_refresh_token":
        raise problem
    return _old_one(credentials, problem)


def _old_one(credentials: Credentials, problem: SlackError) -> Credentials:
    """The old token is good until it expires; after that the problem stands."""
    if _is_good(credentials):
        return credentials
    raise problem


def _is_good(credentials: Credentials) -> bool:
    return credentials.expires_at is not None and credentials.expires_at > now()


def _locked(account_id: int) -> SlackInstallation | None:
    wanted = select(SlackInstallation).where(SlackInstallation.account_id == account_id)
    return db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
