"""Which channels are there, and who is in them? conversations.list, info, join, members, users.conversations."""

from typing import Any

from .. import events
from ..state import Channel
from . import shapes
from .call import Call, SlackError
from .pages import page

SCOPES = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "mpim": "mpim:read",
    "im": "im:read",
}


def kind_of(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"


def list_(call: Call, with_user: str = "") -> dict[str, Any]:
    """The channels the app may know of; each requested type needs its own scope."""
    types = call.listed("types") or ["public_channel"]
    if unknown := set(types) - set(SCOPES):
        raise SlackError("invalid_types", errors=sorted(unknown))
    for each in types:
        call.needs(SCOPES[each])
    team_id, bot = call.workspace.id, call.installation.bot_user_id
    found = [
        channel
        for channel in call.world.channels.values()
        if channel.is_seen_from(team_id)
        and kind_of(channel) in types
        and call.sees(channel)
        and (not with_user or with_user in channel.members)
        and not (channel.is_archived and call.flag("exclude_archived"))
    ]
    answer = page(call, "channels", sorted(found, key=lambda channel: channel.id))
    answer["channels"] = [
        shapes.channel(each, bot, with_members=True) for each in answer["channels"]
    ]
    return answer


def of_user(call: Call) -> dict[str, Any]:
    """The channels a person is in, as far as the app may know of them; without one its own."""
    bot = call.installation.bot_user_id
    user_id = call.person(call.text("user")).id if call.text("user") else bot
    answer = list_(call, user_id)
    for each in answer["channels"]:
        each.pop("is_member", None)
        each.pop("num_members", None)
    return answer


def info(call: Call) -> dict[str, Any]:
    channel = call.channel()
    call.needs(SCOPES[kind_of(channel)])
    bot = call.installation.bot_user_id
    return {"channel": shapes.channel(channel, bot, call.flag("include_num_members"))}


def join(call: Call) -> dict[str, Any]:
    """Public channels only; being in already is a warning, not an error."""
    channel = call.channel()
    if channel.is_archived:
        raise SlackError("is_archived")
    if channel.is_im or channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    answer: dict[str, Any] = {}
    if call.is_member(channel):
        answer = {
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
    else:
        channel.members.append(call.installation.bot_user_id)
        events.member_joined(call.platform, channel, call.installation.bot_user_id)
    return {"channel": shapes.channel(channel, call.installation.bot_user_id), **answer}


def members(call: Call) -> dict[str, Any]:
    channel = call.channel()
    call.needs(SCOPES[kind_of(channel)])
    if not call.is_member(channel):
        raise SlackError("not_in_channel")
    return page(call, "members", channel.members)
