"""What does a person see of an alert's own channel, and what may they ask for? In words."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert
from portal.domain.dedicated_channels import names, queries
from portal.domain.dedicated_channels.models import (
    ChannelState,
    DedicatedChannel,
    InvitationState,
)
from portal.slack import errors, installations
from portal.slack.dedicated_steps import DONE, missing_scopes
from portal.slack.installations import SlackInstallation
from portal.slack.people import UserLink

REAUTHORIZE = "Someone who is admin here and in Slack can re-authorize."
WORDS = {  # of not creating; the rest is in errors.WORDS
    "cannot_create_channel": "Slack could not create the channel. Ask a Slack admin.",
    "not_linked": "No workspace was linked. An admin can link one under Connectors.",
    "resolved": "The alert was resolved first.",
}
PERSON_WORDS = {
    "not_linked": "no Slack user is connected to this person",
    "user_is_restricted": "is a guest in Slack",
    "ura_max_channels": "is a guest of one channel in Slack",
    "user_not_found": "is not in the workspace any more",
    "user_disabled": "is deactivated in Slack",
    "no_external_invite_permission": "belongs to another workspace",
    "cant_invite": "cannot be invited",
    "missing_scope": f"the app may not invite people. {REAUTHORIZE}",
}
EXTRAS = {"topic_outcome": "topic", "bookmark_outcome": "bookmark", "pin_outcome": "pin"}


@dataclass(frozen=True)
class Shown:
    """The alert's channel as it is now."""

    state: ChannelState
    name: str
    is_private: bool
    url: str | None = None
    said: str = ""  # why it waits, or is not there, in words
    next_try_at: datetime | None = None
    since: datetime | None = None
    suggestion: str | None = None  # another name, where this one is taken
    is_for_admins: bool = False  # re-authorizing would mend it
    not_invited: list[tuple[str, str]] = field(default_factory=list)  # who, and why
    missing: list[tuple[str, str]] = field(default_factory=list)  # which extra, and why


@dataclass(frozen=True)
class Offer:
    """What the dialog shows before anything is asked for."""

    name: str
    invited: list[str]
    not_connected: list[str]  # they would be invited, but nobody knows them in Slack
    off: str | None = None  # why there is no button, in words
    may_be_public: bool = True
    may_be_private: bool = True


def shown(alert: Alert) -> Shown | None:
    """The alert's channel, or what became of the wish for one."""
    channel = queries.current(alert)
    if channel is None:
        return None
    installation = installations.of_account(alert.account_id)
    url = None
    if installation is not None and channel.channel_id is not None:
        url = f"{installation.team_url.rstrip('/')}/archives/{channel.channel_id}"
    said, next_try_at = _why(channel, installation)
    is_taken = channel.state is ChannelState.NOT_CREATED and channel.problem == "name_taken"
    refused = [each for each in channel.invitations if each.state is InvitationState.REFUSED]
    outcomes = {extra: getattr(channel, column) for column, extra in EXTRAS.items()}
    return Shown(
        state=channel.state,
        name=channel.channel_name,
        is_private=channel.is_private,
        url=url,
        said=said,
        next_try_at=next_try_at,
        since=channel.closed_at or channel.attached_at or channel.requested_at,
        suggestion=names.numbered(channel.name, _next_number(channel)) if is_taken else None,
        is_for_admins=channel.problem in ("missing_scope", "link_broken"),
        not_invited=[(each.user.name, _person_words(each.reason)) for each in refused],
        missing=[
            (e, errors.words(code)) for e, code in outcomes.items() if code not in (None, DONE)
        ],
    )


def offer(alert: Alert, viewer: User) -> Offer:
    """What the viewer would get by asking for a channel now."""
    people = queries.people_to_invite(alert, viewer)
    linked = select(UserLink.user_id).where(UserLink.user_id.in_([each.id for each in people]))
    known = set(db.session.scalars(linked))
    installation = installations.of_account(alert.account_id)
    scopes = installation.credentials.scopes if installation else frozenset()
    may_be_public = not missing_scopes(scopes, is_private=False)
    may_be_private = not missing_scopes(scopes, is_private=True)
    off = None
    if installation is None:
        off = "No Slack workspace is linked."
    elif not installation.is_working:
        off = "The link to Slack is broken."
    elif not may_be_public and not may_be_private:
        off = f"Creating channels is not allowed yet (channels:manage). {REAUTHORIZE}"
    return Offer(
        name=names.proposed(alert.source.name, alert.id),
        invited=[each.name for each in people if each.id in known],
        not_connected=[each.name for each in people if each.id not in known],
        off=off,
        may_be_public=may_be_public,
        may_be_private=may_be_private,
    )


def _why(
    channel: DedicatedChannel, installation: SlackInstallation | None
) -> tuple[str, datetime | None]:
    """Why it is not there or not finished, and the next try, if there is one."""
    if channel.state is ChannelState.NOT_CREATED:
        return _not_created(channel, installation), None
    if channel.state is ChannelState.CLOSED:
        return _closed(channel.closed_reason or ""), None
    if installation is None or not installation.is_working:
        return "Waits for the link to Slack. An admin can re-authorize under Connectors.", None
    if channel.problem is not None and channel.problem != "name_taken":
        return f"Waiting for Slack. {errors.words(channel.problem)}", max(
            channel.next_try_at, now()
        )
    return "", None


def _not_created(channel: DedicatedChannel, installation: SlackInstallation | None) -> str:
    code = channel.problem or ""
    if code == "name_taken":
        return f"#{channel.channel_name} exists already."
    if code == "restricted_action" and installation is not None:
        return f"{installation.team_name} does not let apps create channels. Ask a Slack admin."
    if code == "missing_scope":
        scope = "groups:write" if channel.is_private else "channels:manage"
        return f"Creating channels is not allowed yet ({scope}). {REAUTHORIZE}"
    return WORDS.get(code, errors.words(code))


def _closed(code: str) -> str:
    return {
        "archived_after_resolving": "Archived after the alert was resolved.",
        "is_archived": "Archived in Slack.",
        "is_inactive": "Archived in Slack.",
        "channel_deleted": "Deleted in Slack.",
        "channel_not_found": "Deleted in Slack, or no longer shown to the app.",
    }.get(code, "The app was removed from it in Slack.")


def _person_words(code: str | None) -> str:
    return PERSON_WORDS.get(code or "", errors.words(code or "").rstrip("."))


def _next_number(channel: DedicatedChannel) -> int:
    """A default name was numbered up to the last one; a typed one was tried as it is."""
    return 2 if channel.is_name_typed else names.MOST_NUMBERED + 1
