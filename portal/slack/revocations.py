"""How does a token end at Slack, after the link has ended here? Tried for a day, then erased."""

from datetime import datetime, timedelta

import structlog
from flask import current_app
from sqlalchemy import select

from portal.db import db, now
from portal.jobs.engine import job, wake
from portal.slack import gateway, rotation
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import Revocation

TRIED_FOR = timedelta(hours=24)
LONGEST_WAIT = 3600  # seconds
# Slack lets some apps not uninstall themselves (slack.md 1.7); then the token alone is revoked.
NOT_ALLOWED = (
    "no_permission",
    "not_allowed_token_type",
    "unknown_method",
    # Revoking needs no client secret, so a wrong one must not leave a token alive.
    "bad_client_secret",
    "invalid_client_id",
    "client_id_token_mismatch",
)

log = structlog.get_logger()


def unconfirmed(account_id: int) -> Revocation | None:
    """The removal that Slack was told of in vain so far, for the Slack page."""
    waiting = select(Revocation).where(
        Revocation.account_id == account_id, Revocation.last_error.is_not(None)
    )
    return db.session.scalar(waiting.order_by(Revocation.id.desc()).limit(1))


def planned(revocation: Revocation, moment: datetime) -> datetime | None:
    """When it is tried again; None is now. Further ahead than we ever wait is only what a clock that
    was set back since has planned."""
    longest = moment + timedelta(seconds=LONGEST_WAIT)
    return revocation.next_try_at if moment < revocation.next_try_at <= longest else None


@job("revoke:{revocation_id}")
def revoke_token(revocation_id: int) -> None:
    """Uninstall the app at Slack, else revoke its token; "already gone" counts as success."""
    revocation = db.session.get(Revocation, revocation_id)
    if revocation is None:
        return  # done, or dropped because the workspace was linked again
    if (at := planned(revocation, now())) is not None:
        wake(revoke_token, at=at, revocation_id=revocation_id)
        db.session.commit()
        return
    token, refresh_token = revocation.bot_token, revocation.refresh_token
    db.session.commit()
    try:
        _revoke(token)
    except SlackError as problem:
        if problem.code == "token_expired" and refresh_token:
            _renew(revocation_id, refresh_token)
            return
        if problem.meaning is not Meaning.LINK_DEAD:
            _try_again(revocation_id, problem)
            return
    _erase(revocation_id)


def _revoke(token: str) -> None:
    client = {
        "client_id": current_app.config["SLACK_CLIENT_ID"],
        "client_secret": current_app.config["SLACK_CLIENT_SECRET"],
    }
    try:
        gateway.call(token, "apps.uninstall", **client)
    except SlackError as problem:
        if problem.code not in NOT_ALLOWED:
            raise
        gateway.call(token, "auth.revoke")


def _renew(revocation_id: int, refresh_token: str) -> None:
    """Slack was away for longer than the token lived: an expired token revokes nothing."""
    try:
        answer = gateway.refresh(refresh_token)
    except SlackError as problem:
        if problem.code in rotation.REFUSED:
            _erase(revocation_id)  # the installation is gone
        else:
            _try_again(revocation_id, problem)
        return
    revocation = db.session.get(Revocation, revocation_id, with_for_update=True)
    if revocation is not None:
        revocation.bot_token = str(answer["access_token"])
        revocation.refresh_token = str(answer.get("refresh_token") or refresh_token)
        wake(revoke_token, revocation_id=revocation_id)
    db.session.commit()


def _try_again(revocation_id: int, problem: SlackError) -> None:
    revocation = db.session.get(Revocation, revocation_id, with_for_update=True)
    if revocation is None:
        return
    if now() - revocation.created_at >= TRIED_FOR:
        log.error("revocation_given_up", revocation_id=revocation_id, slack_error=problem.code)
        db.session.delete(revocation)
    else:
        revocation.attempts += 1
        revocation.last_error = problem.code
        wait = min(LONGEST_WAIT, max(problem.retry_after or 0, 2**revocation.attempts))
        revocation.next_try_at = now() + timedelta(seconds=wait)
        wake(revoke_token, at=revocation.next_try_at, revocation_id=revocation_id)
    db.session.commit()


def _erase(revocation_id: int) -> None:
    revocation = db.session.get(Revocation, revocation_id)
    if revocation is not None:
        db.session.delete(revocation)
    db.session.commit()
