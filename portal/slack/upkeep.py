"""What of Slack's is cleaned up and looked after by the clock? The caller commits."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.db import db, now
from portal.jobs.engine import wake
from portal.slack import actions, erasing, lanes, probes, replies, revocations, rotation
from portal.slack.clicks import EphemeralReply, SlackClick
from portal.slack.conversations import ChannelList
from portal.slack.events import SlackEvent
from portal.slack.installations import (
    WORKING,
    LinkState,
    OAuthState,
    Revocation,
    SlackInstallation,
)
from portal.slack.people import UserLink
from portal.slack.posted import BEHIND, Lane, PostedMessage

CLICKS_KEPT = timedelta(hours=1)
EVENTS_KEPT = timedelta(hours=48)  # Slack repeats an event for a day
PEOPLE_KEPT = timedelta(days=14)  # after an uninstallation; Slack's developer policy


def prune(moment: datetime) -> None:
    """Delete what can no longer be used."""
    db.session.execute(delete(OAuthState).where(OAuthState.expires_at < moment))
    db.session.execute(delete(SlackClick).where(SlackClick.created_at < moment - CLICKS_KEPT))
    db.session.execute(
        delete(EphemeralReply).where(EphemeralReply.created_at < moment - CLICKS_KEPT)
    )
    db.session.execute(delete(SlackEvent).where(SlackEvent.received_at < moment - EVENTS_KEPT))
    long_broken = select(SlackInstallation.account_id).where(
        SlackInstallation.state == LinkState.BROKEN,
        SlackInstallation.state_since < moment - PEOPLE_KEPT,
    )
    for people_data in (UserLink, ChannelList):
        gone = delete(people_data).where(people_data.account_id.in_(long_broken))
        db.session.execute(gone)
    erasing.sweep()


def look_after_links() -> None:
    """Refresh tokens that end soon, and ask about links that nobody has heard of for hours."""
    for account_id in rotation.due():
        wake(rotation.refresh_ahead, account_id=account_id)
    for account_id in probes.due():
        wake(probes.probe, account_id=account_id)


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
        .where(BEHIND, SlackInstallation.state.in_(WORKING))
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
