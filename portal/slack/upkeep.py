"""What of Slack's is cleaned up and looked after by the clock? The caller commits."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.db import db, now
from portal.jobs.engine import wake
from portal.slack import actions, lanes, replies, revocations
from portal.slack.clicks import EphemeralReply, SlackClick
from portal.slack.installations import LinkState, OAuthState, Revocation, SlackInstallation
from portal.slack.posted import BEHIND, Lane, PostedMessage

CLICKS_KEPT = timedelta(hours=1)


def prune(moment: datetime) -> None:
    """Delete what can no longer be used."""
    db.session.execute(delete(OAuthState).where(OAuthState.expires_at < moment))
    db.session.execute(delete(SlackClick).where(SlackClick.created_at < moment - CLICKS_KEPT))
    db.session.execute(
        delete(EphemeralReply).where(EphemeralReply.created_at < moment - CLICKS_KEPT)
    )


def wake_behind() -> None:
    """Wake what should be under way, in one fixed order; a job that already waits is joined."""
    behind = (
        select(PostedMessage.account_id, PostedMessage.channel_id, Lane.next_at)
        .join(SlackInstallation, SlackInstallation.account_id == PostedMessage.account_id)
        .outerjoin(
            Lane,
            (Lane.account_id == PostedMessage.account_id)
            & (Lane.channel_id == PostedMessage.channel_id),
        )
        .where(BEHIND, SlackInstallation.state == LinkState.LINKED)
        .distinct()
        .order_by(PostedMessage.account_id, PostedMessage.channel_id)
    )
    for account_id, channel_id, next_at in db.session.execute(behind):
        at = next_at if next_at and next_at > now() else None
        wake(lanes.deliver, at=at, account_id=account_id, channel_id=channel_id)
    for click_id in db.session.scalars(select(SlackClick.id).order_by(SlackClick.id)):
        wake(actions.identify_clicker, click_id=click_id)
    for reply_id in db.session.scalars(select(EphemeralReply.id).order_by(EphemeralReply.id)):
        wake(replies.send_reply, reply_id=reply_id)
    for revocation in db.session.scalars(select(Revocation).order_by(Revocation.id)):
        wake(revocations.revoke_token, at=revocation.next_try_at, revocation_id=revocation.id)
