"""What has to be done next for an alert's own channel? Chosen from its row alone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from portal.db import db
from portal.domain.dedicated_channels import progress
from portal.domain.dedicated_channels.models import (
    ChannelState,
    DedicatedChannel,
    InvitationState,
)
from portal.slack.installations import Credentials
from portal.slack.messages import alert as alert_messages
from portal.slack.messages import dedicated as messages
from portal.slack.pacing import (
    ARCHIVE,
    BOOKMARK,
    CREATE,
    INVITE,
    MEMBERSHIPS,
    PIN,
    POST,
    TOPIC,
    UPDATE,
)
from portal.slack.people import UserLink
from portal.slack.posted import PostedMessage

MOST_INVITED = 100  # in one call; Slack: conversations.invite
DONE, NOT_KNOWN = "done", "not_linked"
PUBLIC_SCOPES = frozenset({"channels:manage"})
PRIVATE_SCOPES = frozenset({"groups:write", "groups:read"})  # the second to find it again
# What a workspace may refuse, and what the rest goes on without.
OPTIONAL_SCOPES = {BOOKMARK: "bookmarks:write", PIN: "pins:write"}
OUTCOMES = {
    TOPIC: "topic_outcome",
    BOOKMARK: "bookmark_outcome",
    PIN: "pin_outcome",
    POST: "farewell_outcome",
    ARCHIVE: "archive_outcome",
}


@dataclass(frozen=True)
class Step:
    """One call about one channel. Its method is its name: no two steps share one."""

    method: str
    credentials: Credentials
    begun_at: datetime
    arguments: dict[str, Any] = field(repr=False)


def missing_scopes(scopes: frozenset[str], *, is_private: bool) -> list[str]:
    """What the link lacks to make such a channel."""
    return sorted((PRIVATE_SCOPES if is_private else PUBLIC_SCOPES) - scopes)


def following(channel: DedicatedChannel, credentials: Credentials) -> tuple[str, dict[str, Any]]:
    """The next call and its arguments; ("", {}) when nothing is left to do, or nothing yet."""
    if channel.state is ChannelState.CREATING:
        return _making(channel)
    if channel.state is ChannelState.ATTACHED:
        return next(_furnishing(channel, credentials), ("", {}))
    if channel.state is ChannelState.DETACHED and channel.channel_id:
        return next(_leaving(channel), ("", {}))
    return "", {}


def message_of(channel: DedicatedChannel) -> PostedMessage | None:
    """The alert's message in its channel."""
    return db.session.scalar(
        select(PostedMessage).where(
            PostedMessage.alert_id == channel.alert_id,
            PostedMessage.channel_id == channel.channel_id,
        )
    )


def _making(channel: DedicatedChannel) -> tuple[str, dict[str, Any]]:
    if channel.must_look:
        kind = "private_channel" if channel.is_private else "public_channel"
        return MEMBERSHIPS, {"types": kind, "exclude_archived": "true", "limit": 999}
    is_private = "true" if channel.is_private else "false"
    return CREATE, {"name": channel.channel_name, "is_private": is_private}


def _furnishing(
    channel: DedicatedChannel, credentials: Credentials
) -> Iterator[tuple[str, dict[str, Any]]]:
    """People first. The message itself goes by its lane, beside all this."""
    here, url = {"channel": channel.channel_id}, _url(channel)
    progress.invite_missing(channel)
    invited = _to_invite(channel)
    if invited:
        yield INVITE, here | {"users": ",".join(invited), "force": "true"}
    progress.told(channel)
    topic = messages.topic(channel.alert, url)
    if topic != channel.topic and channel.topic_outcome in (None, DONE):
        yield TOPIC, here | {"topic": topic}
    for method, scope in OPTIONAL_SCOPES.items():
        if getattr(channel, OUTCOMES[method]) is None and scope not in credentials.scopes:
            setattr(channel, OUTCOMES[method], "missing_scope")
    if channel.bookmark_outcome is None:
        title = messages.bookmark_title(channel.alert)
        what = {"title": title, "type": "link", "link": url}
        yield BOOKMARK, {"channel_id": channel.channel_id, **what}
    shown = message_of(channel) if channel.pin_outcome is None else None
    if shown is not None and shown.gave_up_at is not None:
        channel.pin_outcome = shown.last_error
    elif shown is not None and shown.ts is not None:
        yield PIN, here | {"timestamp": shown.ts}
    if channel.archive_at is not None and channel.archive_outcome is None:
        yield ARCHIVE, here


def _leaving(channel: DedicatedChannel) -> Iterator[tuple[str, dict[str, Any]]]:
    """A message that is no longer kept up to date must not offer buttons."""
    url = _url(channel)
    if channel.message_ts is not None:
        what = alert_messages.plain_message(channel.alert, url)
        yield UPDATE, {"channel": channel.channel_id, "ts": channel.message_ts, **what}
    if channel.farewell_outcome is None:
        yield POST, {"channel": channel.channel_id, **messages.farewell(channel.alert, url)}


def _to_invite(channel: DedicatedChannel) -> list[str]:
    """Slack's ids of those who are to be invited; whoever has none is refused here."""
    wanted = {
        invitation.user_id: invitation
        for invitation in channel.invitations
        if invitation.state is InvitationState.WANTED
    }
    links = select(UserLink).where(
        UserLink.account_id == channel.account_id, UserLink.user_id.in_(wanted)
    )
    known = {link.user_id: link.slack_user_id for link in db.session.scalars(links)}
    for user_id in wanted.keys() - known.keys():
        wanted[user_id].state, wanted[user_id].reason = InvitationState.REFUSED, NOT_KNOWN
    return [known[user_id] for user_id in wanted if user_id in known][:MOST_INVITED]


def _url(channel: DedicatedChannel) -> str:
    return f"{current_app.config['PUBLIC_URL']}/alerts/{channel.alert_id}"
