"""Which events does Slack send for what happens, and to whom?"""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from .platform import Platform
from .state import Channel, Installation, Message, Person
from .web_api import shapes

# The scopes of which one must be granted (slack.md 2.4, Slack docs: Events API); others need none.
NEEDED = {
    **{
        f"{kind}_{what}": (f"{kind}s:read",)
        for kind in ("channel", "group")
        for what in ("archive", "unarchive", "deleted", "rename", "left")
    },
    "channel_created": ("channels:read",),
    "channel_shared": ("channels:read", "groups:read"),
    "channel_unshared": ("channels:read", "groups:read"),
    "member_joined_channel": ("channels:read", "groups:read"),
    "member_left_channel": ("channels:read", "groups:read"),
    "user_change": ("users:read",),
    "team_join": ("users:read",),
    "team_rename": ("team:read",),
    "team_domain_change": ("team:read",),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
}

_SUBSCRIPTION = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}


def announce(
    platform: Platform,
    team_id: str,
    event: dict[str, Any],
    subscription: str = "",
    channel: Channel | None = None,
    after: float = 0.0,
) -> None:
    """Queue an event for the app, if it is installed there, subscribes it, and may know of it.

    `subscription` is the manifest's name where it differs from the type (`message.channels`);
    `after` so many seconds by the sandbox's clock it happens.
    Call it with the platform's lock held.
    """
    own = platform.world.installation_for(team_id)
    if own is not None and is_wanted(platform, own, subscription or event["type"]):
        at = platform.clock.now() + after
        platform.events.put(
            wrapper(platform, team_id, event, own, event_time=at, channel=channel), due=at
        )


def is_wanted(platform: Platform, own: Installation, subscription: str) -> bool:
    manifest, needed = platform.manifest, NEEDED.get(subscription, ())
    is_granted = not needed or any(scope in own.scopes for scope in needed)
    return is_granted and bool(manifest.events_url) and subscription in manifest.bot_events


def wrapper(
    platform: Platform,
    team_id: str,
    event: dict[str, Any],
    own: Installation | None,
    event_id: str = "",
    event_time: float | None = None,
    channel: Channel | None = None,
) -> dict[str, Any]:
    """The whole body of a delivery (Slack docs: Events API, callback field)."""
    world, at = platform.world, platform.clock.now() if event_time is None else event_time
    number = world.count("event")
    workspace = world.workspaces.get(team_id)
    enterprise_id = (workspace.enterprise_id if workspace else "") or None
    authorization = {
        "enterprise_id": enterprise_id,
        "team_id": team_id,
        "user_id": own.bot_user_id if own else "",
        "is_bot": True,
        "is_enterprise_install": bool(own and own.is_enterprise_install),
    }
    return {
        "token": "deprecated-verification-token",
        "team_id": team_id,
        "context_team_id": team_id,
        "context_enterprise_id": enterprise_id,
        "api_app_id": platform.app.app_id,
        "event": {**event, "event_ts": event.get("event_ts", f"{at:.6f}")},
        "type": "event_callback",
        "event_id": event_id or f"Ev{world.epoch:03}{number:08}",
        "event_time": int(at),
        "authorizations": [authorization] if own else [],
        "is_ext_shared_channel": bool(channel and channel.shared_with),
        "event_context": f"4-{team_id}-{number}",
    }


def app_ended(platform: Platform, own: Installation) -> None:
    """The two events of an uninstallation, in the order that the switch names them."""
    team_id = own.team_id or own.enterprise_id
    known: dict[str, dict[str, Any]] = {
        "tokens_revoked": {"tokens": {"bot": [own.bot_user_id]}},
        "app_uninstalled": {},
    }
    for name in platform.world.switches.uninstall_events.split():
        if is_wanted(platform, own, name):
            event = {"type": name, **known[name]}
            platform.events.put(wrapper(platform, team_id, event, own))


def channel_changed(platform: Platform, channel: Channel, what: str, /, **more: Any) -> None:
    """`channel_rename` and its siblings; `group_…` for private ones, which only members hear of."""
    kind = f"{'group' if channel.is_private else 'channel'}_{what}"
    _tell(platform, channel, {"type": kind, "channel": channel.id, **more}, what == "left")


def channel_event(platform: Platform, channel: Channel, kind: str, /, **more: Any) -> None:
    """An event about a channel that has the same name for public and private ones."""
    _tell(platform, channel, {"type": kind, **more}, kind == "member_left_channel")


def _tell(platform: Platform, channel: Channel, event: dict[str, Any], is_leaving: bool) -> None:
    if channel.is_im:
        return
    for team_id in (channel.team_id, *channel.shared_with):
        own = platform.world.installation_for(team_id)
        if own and (not channel.is_private or is_leaving or own.bot_user_id in channel.members):
            announce(platform, team_id, event, channel=channel)


def renamed(platform: Platform, channel: Channel) -> None:
    shape = {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "created": channel.created,
    }
    channel_changed(platform, channel, "rename", channel=shape)


def member_left(platform: Platform, channel: Channel, user_id: str, actor_id: str = "") -> None:
    """Somebody left or was removed; about itself the app hears `channel_left`."""
    person = platform.world.people[user_id]
    own = platform.world.installation_for(person.team_id)
    if own and own.bot_user_id == user_id:
        channel_changed(platform, channel, "left", actor_id=actor_id)
    else:
        channel_event(platform, channel, "member_left_channel", **_membership(channel, person))


def member_joined(platform: Platform, channel: Channel, user_id: str, inviter: str = "") -> None:
    person = platform.world.people[user_id]
    more = {"inviter": inviter} if inviter else {}
    channel_event(
        platform, channel, "member_joined_channel", **_membership(channel, person), **more
    )


def _membership(channel: Channel, person: Person) -> dict[str, Any]:
    return {
        "user": person.id,
        "channel": channel.id,
        "channel_type": "G" if channel.is_private else "C",
        "team": person.team_id,
    }


def person_changed(platform: Platform, person: Person, kind: str = "user_change") -> None:
    """`user_change` or `team_join`, with the e-mail address where that scope was granted."""
    own = platform.world.installation_for(person.team_id)
    if own is None:
        return
    person.updated = int(platform.clock.now())
    with_email = "users:read.email" in own.scopes
    user = shapes.user(person, platform.clock.today(), with_email)
    announce(platform, person.team_id, {"type": kind, "user": user, "cache_ts": person.updated})


def message_posted(platform: Platform, message: Message) -> None:
    """A new message, of whomever; also the app's own come back."""
    if not (readers := _readers(platform, message)):
        return
    shape = shapes.message(platform, platform.world, message)
    if not message.bot_id:
        shape["client_msg_id"] = str(uuid5(NAMESPACE_URL, f"{message.channel}/{message.ts}"))
    if message.is_reply:
        parent = platform.world.message(message.channel, message.thread_ts)
        shape["parent_user_id"] = parent.user if parent else ""
        if message.is_broadcast:
            shape["subtype"] = "thread_broadcast"
    _tell_of_message(platform, message, readers, {**shape, "event_ts": message.ts})


def message_changed(platform: Platform, message: Message, before: dict[str, Any]) -> None:
    """Somebody changed a message; `before` is its shape until then."""
    if not (readers := _readers(platform, message)):
        return
    event = {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": shapes.message(platform, platform.world, message),
        "previous_message": before,
        "ts": f"{platform.clock.now():.6f}",
    }
    _tell_of_message(platform, message, readers, event)


def message_deleted(platform: Platform, message: Message, before: dict[str, Any]) -> None:
    event = {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "deleted_ts": message.ts,
        "previous_message": before,
        "ts": f"{platform.clock.now():.6f}",
    }
    _tell_of_message(platform, message, _readers(platform, message), event)


def _readers(platform: Platform, message: Message) -> list[str]:
    """The workspaces whose app reads the channel: subscribed, granted, and a member of it."""
    channel = platform.world.channels.get(message.channel)
    if channel is None or message.ephemeral_for:
        return []
    found = []
    for team_id in (channel.team_id, *channel.shared_with):
        own = platform.world.installation_for(team_id)
        if own and own.bot_user_id in channel.members:
            found += [team_id] if is_wanted(platform, own, _SUBSCRIPTION[_kind(channel)]) else []
    return found


def _kind(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "group" if channel.is_private else "channel"


def _tell_of_message(
    platform: Platform, message: Message, readers: list[str], event: dict[str, Any]
) -> None:
    channel = platform.world.channels[message.channel]
    kind = _kind(channel)
    told = {**event, "channel": channel.id, "channel_type": kind}
    author = platform.world.people.get(message.user)
    for team_id in readers:
        home = author.team_id if author else team_id
        origin = {} if home == team_id else {"user_team": home, "source_team": home}
        announce(platform, team_id, {**told, **origin}, _SUBSCRIPTION[kind], channel)
