"""How does the app make and manage channels? conversations.create, invite, archive and the like."""

import re
from typing import Any

from .. import events
from ..state import Channel, Person
from ..text import length
from . import chat, shapes
from .call import Call, SlackError

MOST_NAME = 80
MOST_TOPIC = 250
MOST_INVITED = 100
_NAME = re.compile(r"[a-z0-9_-]+")
_PUNCTUATION = re.compile(r"[_-]+")
MANAGE, WRITE = "channels:manage", "groups:write"


def create(call: Call) -> dict[str, Any]:
    """Make a channel; the app's bot user is its only member."""
    is_private = call.flag("is_private")
    call.needs(WRITE if is_private else MANAGE)
    team_id, name = call.workspace.id, call.text("name")
    if not call.world.switches.channel_creation_permitted:
        raise SlackError("restricted_action")
    _check_name(call, name)
    bot = call.installation.bot_user_id
    made = Channel(
        id=f"C{call.world.epoch:02}{call.world.count('channel'):08}",
        team_id=team_id,
        name=name,
        creator=bot,
        created=int(call.platform.clock.now()),
        is_private=is_private,
        members=[bot],
    )
    call.world.channels[made.id] = made
    if not is_private:
        shape = {"id": made.id, "name": name, "created": made.created, "creator": bot}
        events.channel_event(call.platform, made, "channel_created", channel=shape)
    return _shown(call, made)


def _check_name(call: Call, name: str) -> None:
    """Slack docs: conversations.create, naming; archived channels keep their names taken."""
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > MOST_NAME:
        raise SlackError("invalid_name_maxlength")
    if _PUNCTUATION.fullmatch(name):
        raise SlackError("invalid_name_punctuation")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name_specials")
    taken = {c.name for c in call.world.channels.values() if c.team_id == call.workspace.id}
    if name in taken and not call.world.switches.twin_names_permitted:
        raise SlackError("name_taken")


def invite(call: Call) -> dict[str, Any]:
    """Bring people in: at most 100; with `force` those who can come, although others cannot."""
    channel, users = _managed(call, ".invites"), call.listed("users")
    if not users:
        raise SlackError("no_user")
    if len(users) > MOST_INVITED:
        raise SlackError("too_many_users")
    refused = {user_id: code for user_id in users if (code := _refusal(call, channel, user_id))}
    errors = [{"user": each, "ok": False, "error": code} for each, code in refused.items()]
    welcome = [each for each in dict.fromkeys(users) if each not in refused]
    if refused and (not call.flag("force") or not welcome):
        raise SlackError(next(iter(refused.values())), errors=errors)
    for user_id in welcome:
        channel.members.append(user_id)
        bot = call.installation.bot_user_id
        events.member_joined(call.platform, channel, user_id, inviter=bot)
    return _shown(call, channel) | ({"errors": errors} if errors else {})


def _refusal(call: Call, channel: Channel, user_id: str) -> str:
    """Why this person cannot be invited; "" when they can."""
    known = {p.id: p for p in call.world.people_seen_from(call.workspace.id)}
    person = known.get(user_id)
    if person is None or person.deleted:
        return "user_not_found"
    if user_id == call.installation.bot_user_id:
        return "cant_invite_self"
    if user_id in channel.members:
        return "already_in_channel"
    return _refusal_of_kind(person, call.workspace.id)


def _refusal_of_kind(person: Person, team_id: str) -> str:
    if person.team_id != team_id:
        return "no_external_invite_permission"
    if person.is_ultra_restricted:
        return "ura_max_channels"
    if person.is_restricted:
        return "user_is_restricted"
    return "cant_invite" if person.is_bot else ""


def kick(call: Call) -> dict[str, Any]:
    channel, user_id = _managed(call), call.text("user")
    if user_id == call.installation.bot_user_id:
        raise SlackError("cant_kick_self")
    if channel.is_general:
        raise SlackError("cant_kick_from_general")
    call.person(user_id)
    if user_id not in channel.members:
        raise SlackError("not_in_channel")
    _take_out(call, channel, user_id)
    return {}


def leave(call: Call) -> dict[str, Any]:
    channel = call.channel()
    call.needs(*_scopes(channel))
    if channel.is_archived:
        raise SlackError("is_archived")
    if channel.is_general:
        raise SlackError("cant_leave_general")
    if not call.is_member(channel):
        return {"not_in_channel": True}
    _take_out(call, channel, call.installation.bot_user_id)
    return {}


def _take_out(call: Call, channel: Channel, user_id: str) -> None:
    channel.members = [each for each in channel.members if each != user_id]
    events.member_left(call.platform, channel, user_id, call.installation.bot_user_id)


def archive(call: Call) -> dict[str, Any]:
    """Archiving removes the app's bot user, and other apps' as well."""
    channel = call.channel()
    call.needs(*_scopes(channel))
    if channel.is_archived:
        raise SlackError("already_archived")
    _check_member(call, channel)
    if channel.is_general:
        raise SlackError("cant_archive_general")
    channel.is_archived = True
    bot = call.installation.bot_user_id
    events.channel_changed(call.platform, channel, "archive", user=bot)
    channel.members = [each for each in channel.members if not call.world.people[each].is_bot]
    return {}


def unarchive(call: Call) -> dict[str, Any]:
    """A bot token cannot do this: it is no member of an archived channel any more."""
    channel = call.channel()
    call.needs(*_scopes(channel))
    if not channel.is_archived:
        raise SlackError("not_archived")
    raise SlackError("not_in_channel")


def rename(call: Call) -> dict[str, Any]:
    """Only channels that the app made itself."""
    channel = _managed(call)
    if channel.creator != call.installation.bot_user_id:
        raise SlackError("not_authorized")
    _check_name(call, call.text("name"))
    channel.previous_names = [*channel.previous_names, channel.name]
    channel.name = call.text("name")
    events.renamed(call.platform, channel)
    return _shown(call, channel)


def set_topic(call: Call) -> dict[str, Any]:
    channel = _managed(call, ".topic")
    channel.topic = _short(call, "topic")
    return {}


def set_purpose(call: Call) -> dict[str, Any]:
    channel = _managed(call, ".topic")
    channel.purpose = _short(call, "purpose")
    return {}


def _short(call: Call, name: str) -> str:
    if length(call.text(name)) > MOST_TOPIC:
        raise SlackError("too_long")
    return call.text(name)


def open_(call: Call) -> dict[str, Any]:
    """The direct messages with one person; posting to their id does the same without a scope."""
    users = call.listed("users")
    if call.has("channel"):
        return {"channel": _brief(call, call.channel())}
    if len(users) != 1:
        raise SlackError("not_enough_users" if not users else "method_not_supported")
    return {"channel": _brief(call, chat.direct(call, users[0]))}


def _brief(call: Call, channel: Channel) -> dict[str, Any]:
    if not call.flag("return_im"):
        return {"id": channel.id}
    return shapes.channel(channel, call.installation.bot_user_id)


def _scopes(channel: Channel, narrower: str = "") -> list[str]:
    """What managing this channel needs; some methods have a narrower scope that is enough."""
    base = "groups" if channel.is_private else "channels"
    own = WRITE if channel.is_private else MANAGE
    return [own, f"{base}:write{narrower}"] if narrower else [own]


def _managed(call: Call, narrower: str = "") -> Channel:
    """The channel named, if the app may change it: scoped, a member, not archived."""
    channel = call.channel()
    if channel.is_im:
        raise SlackError("method_not_supported_for_channel_type")
    call.needs(*_scopes(channel, narrower))
    if channel.is_archived:
        raise SlackError("is_archived")
    _check_member(call, channel)
    return channel


def _check_member(call: Call, channel: Channel) -> None:
    if not call.is_member(channel):
        raise SlackError("not_in_channel")


def _shown(call: Call, channel: Channel) -> dict[str, Any]:
    return {"channel": shapes.channel(channel, call.installation.bot_user_id)}
