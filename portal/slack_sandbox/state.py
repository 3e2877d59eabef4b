"""What does the sandbox remember? Plain data, nothing that acts."""

from dataclasses import dataclass, field
from typing import Any

from .surfaces import Trigger, UserGroup, View


@dataclass
class Workspace:
    id: str
    name: str
    domain: str
    enterprise_id: str = ""
    enterprise_name: str = ""
    approval_required: bool = False


@dataclass
class Person:
    """A member of a workspace; the app's own bot user is one as well."""

    id: str
    team_id: str
    name: str
    real_name: str
    email: str = ""
    tz: str = "Europe/Berlin"
    is_admin: bool = False
    is_restricted: bool = False  # a guest, of one or of several channels
    is_ultra_restricted: bool = False  # a guest of one channel
    is_bot: bool = False
    bot_id: str = ""
    deleted: bool = False
    updated: int = 0

    @property
    def is_guest(self) -> bool:
        return self.is_restricted or self.is_ultra_restricted


@dataclass
class Channel:
    """A public or private channel, or the direct messages between the app and one person."""

    id: str
    team_id: str
    name: str
    creator: str = ""
    created: int = 0
    is_private: bool = False
    is_archived: bool = False
    is_general: bool = False
    is_im: bool = False
    user: str = ""  # the person of a DM
    topic: str = ""
    purpose: str = ""
    posting: str = "everyone"  # or "admins"
    shared_with: list[str] = field(default_factory=list)  # other workspaces
    members: list[str] = field(default_factory=list)
    previous_names: list[str] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)  # the ts of each pinned message
    bookmarks: list[dict[str, Any]] = field(default_factory=list)

    def is_seen_from(self, team_id: str) -> bool:
        return team_id == self.team_id or team_id in self.shared_with


@dataclass
class Message:
    """One message as stored: texts already parsed and emoji named, as Slack gives them back."""

    channel: str
    ts: str
    team_id: str
    user: str
    text: str = ""
    bot_id: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    thread_ts: str = ""
    is_broadcast: bool = False
    edited_at: float = 0.0
    is_tombstone: bool = False  # deleted, but its replies are still there
    ephemeral_for: str = ""
    was_seen: bool = False  # ephemerals leave with the next full load of the page
    is_dismissed: bool = False
    unfurls: bool = False
    notifies: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(
        default_factory=dict
    )  # "user/block_id/action_id": what Slack shows
    chosen: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  # per person: the state.values of what they set in this message

    @property
    def is_reply(self) -> bool:
        return bool(self.thread_ts) and self.thread_ts != self.ts


@dataclass
class Installation:
    """The app in one workspace, or in a whole organization (then `team_id` is empty)."""

    id: str
    team_id: str
    enterprise_id: str
    bot_user_id: str
    bot_id: str
    installer: str
    installed_at: float
    scopes: list[str] = field(default_factory=list)
    is_active: bool = True

    @property
    def is_enterprise_install(self) -> bool:
        return not self.team_id


@dataclass
class Token:
    token: str
    installation_id: str
    error: str = ""  # what a call with it answers: "" while it is good
    was_refused: bool = False  # the app has been told that it is dead
    expires_at: float = 0.0  # 0: never
    refresh_token: str = ""  # that was given out with it
    was_exchanged: bool = False  # a long-lived one for a pair that rotates


@dataclass
class RefreshToken:
    token: str
    installation_id: str
    used_at: float = 0.0  # by the first call that was answered with a new pair


@dataclass
class Code:
    code: str
    redirect_uri: str
    redirect_uri_sent: bool
    team_id: str
    enterprise_id: str
    user: str
    expires_at: float
    scopes: list[str] = field(default_factory=list)
    is_used: bool = False


@dataclass
class ResponseURL:
    id: str
    installation_id: str
    channel: str
    user: str
    message_ts: str
    expires_at: float
    uses: int = 0


@dataclass
class Switches:
    """Where Slack is unknown or differs by setting: one switch each, with the strictest default."""

    exact_redirect_uri: bool = True
    distributed: bool = True
    home_workspace: str = "T0ACME"
    fresh_token_on_reinstall: bool = False
    token_rotation: bool = False  # on as well where the manifest says so
    refresh_grace: float = 60.0  # seconds a used refresh token still works
    uninstall_permitted: bool = True
    uninstall_events: str = "tokens_revoked app_uninstalled"  # which, and in which order
    edit_window_open: bool = True
    short_pages: bool = True
    users_list_needs_limit: bool = False
    usergroups_plan: bool = True  # False: the workspace is on the free plan
    usergroups_permitted: bool = True  # False: only admins may change user groups
    channel_creation_permitted: bool = True
    twin_names_permitted: bool = False  # as two creations at one moment may both succeed
    rate_limits: bool = True
    per_minute: dict[str, int] = field(default_factory=dict)  # by method, instead of its tier
    posting_burst: int = 5
    posting_per_second: float = 1.0  # and channel
    posting_per_minute: int = 300
    blocks_text_limit: int = 12_000


@dataclass
class World:
    """Everything that survives a restart."""

    epoch: int = 1  # counted up by every reset, so that yesterday's tokens stay dead
    last_ts: float = 0.0
    counters: dict[str, int] = field(default_factory=dict)
    switches: Switches = field(default_factory=Switches)
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: dict[str, dict[str, Message]] = field(default_factory=dict)  # channel, then ts
    installations: dict[str, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    response_urls: dict[str, ResponseURL] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)  # in the order they were opened
    usergroups: dict[str, UserGroup] = field(default_factory=dict)
    suggested: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  # "user/message or view/block_id/action_id": the options the app offered, by value

    def count(self, what: str) -> int:
        self.counters[what] = self.counters.get(what, 0) + 1
        return self.counters[what]

    def messages_in(self, channel_id: str) -> list[Message]:
        return list(self.messages.get(channel_id, {}).values())

    def message(self, channel_id: str, ts: str) -> Message | None:
        return self.messages.get(channel_id, {}).get(ts)

    def modals_of(self, user_id: str) -> list[View]:
        """The person's stack of modals; the last one is on top."""
        return [v for v in self.views.values() if v.user == user_id and v.is_modal]

    def home_of(self, user_id: str) -> View | None:
        homes = (v for v in self.views.values() if v.user == user_id and not v.is_modal)
        return next(homes, None)

    def people_seen_from(self, team_id: str) -> list[Person]:
        """The workspace's own people, and external ones who share a channel with it."""
        shared = {
            member
            for channel in self.channels.values()
            if channel.shared_with and channel.is_seen_from(team_id)
            for member in channel.members
        }
        return [p for p in self.people.values() if p.team_id == team_id or p.id in shared]

    def installation_for(self, team_id: str) -> Installation | None:
        """The live installation that speaks in a workspace: its own, or its organization's."""
        enterprise_id = self.workspaces[team_id].enterprise_id
        live = [i for i in self.installations.values() if i.is_active]
        own = [i for i in live if i.team_id == team_id]
        wide = [i for i in live if i.is_enterprise_install and i.enterprise_id == enterprise_id]
        return next(iter(own + wide), None)
