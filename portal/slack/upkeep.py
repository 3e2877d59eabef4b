"""What of Slack's is cleaned up and looked after by the clock? The caller commits."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, union

from portal.db import db, now
from portal.jobs.engine import wake
from portal.slack import (
    actions,
    commands,
    dedicated,
    direct_notes,
    erasing,
    lanes,
    probes,
    replies,
    revocations,
    rotation,
    user_groups,
)
from portal.slack.clicks import EphemeralReply, SlackClick, SlackCommand
from portal.slack.connects import Connect
from portal.slack.conversations import ChannelList
from portal.slack.direct_notes import DirectNote
from portal.slack.events import SlackEvent
from portal.slack.home import HomeTab
from portal.slack.installations import (
    WORKING,
    LinkState,
    OAuthState,
    Revocation,
    SlackInstallation,
)
from portal.slack.people import UserLink
from portal.slack.posted import (
    BEHIND,
    CLOCKS_AGREE,
    REPLY_BEHIND,
    SUMMARY_BEHIND,
    Lane,
    PostedMessage,
    Summary,
    ThreadReply,
)
from portal.slack.profiles import SlackProfile
from portal.slack.unlinked import UnlinkedPerson
from portal.slack.windows import SlackModal

CLICKS_KEPT = timedelta(hours=1)
MODALS_KEPT = timedelta(hours=24)  # somebody may leave one open over night
EVENTS_KEPT = timedelta(hours=48)  # Slack repeats an event for a day
PEOPLE_DATA = (UserLink, UnlinkedPerson, SlackProfile, ChannelList, Connect, HomeTab)
PEOPLE_KEPT = timedelta(days=14)  # after an uninstallation; Slack's developer policy


def prune(moment: datetime) -> None:
    """Delete what can no longer be used."""
    db.session.execute(delete(OAuthState).where(OAuthState.expires_at < moment))
    db.session.execute(delete(SlackClick).where(SlackClick.created_at < moment - CLICKS_KEPT))
    commands_kept = moment - CLICKS_KEPT
    db.session.execute(delete(SlackCommand).where(SlackCommand.created_at < commands_kept))
    db.session.execute(
        delete(EphemeralReply).where(EphemeralReply.created_at < moment - CLICKS_KEPT)
    )
    db.session.execute(delete(Connect).where(Connect.expires_at < moment))
    db.session.execute(delete(SlackEvent).where(SlackEvent.received_at < moment - EVENTS_KEPT))
    long_broken = select(SlackInstallation.account_id).where(
        SlackInstallation.state == LinkState.BROKEN,
        SlackInstallation.state_since < moment - PEOPLE_KEPT,
    )
    for people_data in PEOPLE_DATA:
        gone = delete(people_data).where(people_data.account_id.in_(long_broken))
        db.session.execute(gone)
    db.session.execute(delete(SlackModal).where(SlackModal.created_at < moment - MODALS_KEPT))
    erasing.sweep()


def look_after_links() -> None:
    """Refresh tokens that end soon, and ask about links that nobody has heard of for hours."""
    for account_id in rotation.due():
        wake(rotation.refresh_ahead, account_id=account_id)
    for account_id in probes.due():
        wake(probes.probe, account_id=account_id)


def wake_behind() -> None:
    """Wake what should be under way, in one fixed order; a job that already waits is joined."""
    for account_id, channel_id, at in _unfinished_lanes():
        wake(lanes.deliver, at=at, account_id=account_id, channel_id=channel_id)
    for dedicated_id, at in dedicated.unfinished():
        wake(dedicated.carry_on, at=at, dedicated_channel_id=dedicated_id)
    for note_id in db.session.scalars(select(DirectNote.id).order_by(DirectNote.id)):
        wake(direct_notes.send_note, note_id=note_id)
    for click_id in db.session.scalars(select(SlackClick.id).order_by(SlackClick.id)):
        wake(actions.identify_clicker, click_id=click_id)
    for command_id in db.session.scalars(select(SlackCommand.id).order_by(SlackCommand.id)):
        wake(commands.identify_asker, command_id=command_id)
    for reply_id in db.session.scalars(select(EphemeralReply.id).order_by(EphemeralReply.id)):
        wake(replies.send_reply, reply_id=reply_id)
    user_groups.wake_all()
    for revocation in db.session.scalars(select(Revocation).order_by(Revocation.id)):
        at = revocations.planned(revocation, now())
        wake(revocations.revoke_token, at=at, revocation_id=revocation.id)


def wake_lanes_of_the_future(moment: datetime) -> None:
    """Lanes that were last looked at by a clock that was ahead: each sets itself right."""
    wanted = select(Lane.account_id, Lane.channel_id).where(Lane.seen_at > moment + CLOCKS_AGREE)
    for account_id, channel_id in db.session.execute(
        wanted.order_by(Lane.account_id, Lane.channel_id)
    ):
        wake(lanes.deliver, account_id=account_id, channel_id=channel_id)


def _unfinished_lanes() -> list[tuple[int, str, datetime | None]]:
    """The channels with something behind or a storm to end, and when their lane means to return."""
    behind = union(
        select(PostedMessage.account_id, PostedMessage.channel_id).where(BEHIND),
        select(Summary.account_id, Summary.channel_id).where(SUMMARY_BEHIND),
        select(ThreadReply.account_id, ThreadReply.channel_id).where(REPLY_BEHIND),
        select(Lane.account_id, Lane.channel_id).where(Lane.summary_id.is_not(None)),
    ).subquery()
    found = (
        select(behind.c.account_id, behind.c.channel_id, Lane.returns_at, Lane.seen_at)
        .join(SlackInstallation, SlackInstallation.account_id == behind.c.account_id)
        .outerjoin(
            Lane,
            (Lane.account_id == behind.c.account_id) & (Lane.channel_id == behind.c.channel_id),
        )
        .where(SlackInstallation.state.in_(WORKING))
        .order_by(behind.c.account_id, behind.c.channel_id)
    )
    moment = now()
    return [
        (account_id, channel_id, at if at and at > moment >= seen_at - CLOCKS_AGREE else None)
        for account_id, channel_id, at, seen_at in db.session.execute(found)
    ]
