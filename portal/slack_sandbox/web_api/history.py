"""What was said in a channel? conversations.history and conversations.replies."""

from typing import Any

from ..state import Channel, Message
from . import shapes
from .call import Call, SlackError
from .conversations import kind_of
from .pages import page

SCOPES = {
    "public_channel": "channels:history",
    "private_channel": "groups:history",
    "im": "im:history",
}


def history(call: Call) -> dict[str, Any]:
    """Newest first, replies only where they were also sent to the channel."""
    channel = _readable(call)
    said = [each for each in _between(call, channel) if not each.is_reply or each.is_broadcast]
    return _answer(call, said[::-1], channel)


def replies(call: Call) -> dict[str, Any]:
    """A thread, oldest first, led by its parent; `ts` may name a reply as well."""
    channel = _readable(call)
    named = call.world.message(channel.id, call.text("ts"))
    if named is None or named.ephemeral_for:
        raise SlackError("thread_not_found")
    parent_ts = named.thread_ts or named.ts
    said = [each for each in _between(call, channel) if each.thread_ts == parent_ts]
    parent = call.world.message(channel.id, parent_ts)
    return _answer(call, [*([parent] if parent else []), *said], channel)


def _readable(call: Call) -> Channel:
    channel = call.channel()
    call.needs(SCOPES[kind_of(channel)])
    if not call.is_member(channel):
        raise SlackError("not_in_channel")
    return channel


def _between(call: Call, channel: Channel) -> list[Message]:
    """The messages between `oldest` and `latest`, which only count themselves if `inclusive`."""
    try:
        oldest = float(call.text("oldest") or 0)
        latest = float(call.text("latest") or "inf")
    except ValueError:
        name = "invalid_ts_oldest" if call.has("oldest") else "invalid_ts_latest"
        raise SlackError(name) from None
    edges = (oldest, latest) if call.flag("inclusive") else ()
    return [
        each
        for each in call.world.messages_in(channel.id)
        if not each.ephemeral_for and (oldest < float(each.ts) < latest or float(each.ts) in edges)
    ]


def _answer(call: Call, said: list[Message], channel: Channel) -> dict[str, Any]:
    answer = page(call, "messages", said)
    threads: dict[str, list[Message]] = {}
    for each in call.world.messages_in(channel.id):
        if each.is_reply and not each.ephemeral_for:
            threads.setdefault(each.thread_ts, []).append(each)
    answer["messages"] = [_shape(call, each, threads) for each in answer["messages"]]
    return {**answer, "has_more": bool(answer["response_metadata"]["next_cursor"]), "pin_count": 0}


def _shape(call: Call, message: Message, threads: dict[str, list[Message]]) -> dict[str, Any]:
    shape = shapes.message(call.platform, call.world, message)
    if not call.flag("include_all_metadata"):
        shape.pop("metadata", None)
    if message.is_tombstone:
        shape["subtype"] = "tombstone"
    elif message.is_reply and message.is_broadcast:
        shape["subtype"] = "thread_broadcast"
    if under := threads.get(message.ts):
        users = list(dict.fromkeys(each.user for each in under))
        shape |= {
            "thread_ts": message.ts,
            "reply_count": len(under),
            "reply_users_count": len(users),
            "reply_users": users,
            "latest_reply": under[-1].ts,
        }
    return shape
