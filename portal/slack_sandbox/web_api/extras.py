"""What hangs on a channel beside its messages? bookmarks.* and pins.*."""

from typing import Any
from urllib.parse import urlsplit

from .. import links
from ..state import Channel
from . import shapes
from .call import Call, SlackError

MOST_BOOKMARKS = 100
MOST_PINS = 100


def add_bookmark(call: Call) -> dict[str, Any]:
    """A link on top of a channel."""
    channel = _place(call, "channel_id")
    if call.text("type") != "link":
        raise SlackError("invalid_bookmark_type")
    if len(channel.bookmarks) >= MOST_BOOKMARKS:
        raise SlackError("too_many_bookmarks")
    now, own = int(call.platform.clock.now()), call.installation
    made = {
        "id": f"Bk{call.world.count('bookmark'):08}",
        "channel_id": channel.id,
        "title": call.text("title"),
        "link": _link(call),
        "emoji": call.text("emoji"),
        "icon_url": None,
        "type": "link",
        "entity_id": None,
        "date_created": now,
        "date_updated": 0,
        "rank": "",
        "last_updated_by_user_id": own.bot_user_id,
        "last_updated_by_team_id": call.workspace.id,
        "shortcut_id": None,
        "app_id": call.platform.app.app_id,
    }
    channel.bookmarks = [*channel.bookmarks, made]
    return {"bookmark": made}


def edit_bookmark(call: Call) -> dict[str, Any]:
    channel = _place(call, "channel_id")
    found = _bookmark(call, channel)
    link = _link(call) if call.has("link") else found["link"]
    given = {key: call.text(key) for key in ("title", "emoji") if call.has(key)}
    found |= {**given, "link": link, "date_updated": int(call.platform.clock.now())}
    return {"bookmark": found}


def list_bookmarks(call: Call) -> dict[str, Any]:
    return {"bookmarks": _place(call, "channel_id").bookmarks}


def remove_bookmark(call: Call) -> dict[str, Any]:
    channel = _place(call, "channel_id")
    found = _bookmark(call, channel)
    channel.bookmarks = [each for each in channel.bookmarks if each is not found]
    return {}


def add_pin(call: Call) -> dict[str, Any]:
    channel = _place(call, "channel")
    ts = _pinnable(call, channel)
    if ts in channel.pins:
        raise SlackError("already_pinned")
    if len(channel.pins) >= MOST_PINS:
        raise SlackError("too_many_pins")
    channel.pins = [*channel.pins, ts]
    return {}


def list_pins(call: Call) -> dict[str, Any]:
    """Newest first, as Slack answers."""
    channel, own = _place(call, "channel"), call.installation
    found = [(ts, call.world.message(channel.id, ts)) for ts in reversed(channel.pins)]
    items = [
        {
            "type": "message",
            "channel": channel.id,
            "created": int(float(ts)),
            "created_by": own.bot_user_id,
            "message": shapes.message(call.platform, call.world, message)
            | {"permalink": links.permalink(call.platform, message), "pinned_to": [channel.id]},
        }
        for ts, message in found
        if message is not None
    ]
    return {"items": items}


def remove_pin(call: Call) -> dict[str, Any]:
    channel = _place(call, "channel")
    ts = _pinnable(call, channel)
    if ts not in channel.pins:
        raise SlackError("no_pin")
    channel.pins = [each for each in channel.pins if each != ts]
    return {}


def _place(call: Call, name: str) -> Channel:
    """The channel named; pins and bookmarks always need membership."""
    channel = call.channel(name)
    if channel.is_archived:
        raise SlackError("is_archived")
    if not call.is_member(channel):
        raise SlackError("not_in_channel")
    return channel


def _bookmark(call: Call, channel: Channel) -> dict[str, Any]:
    for each in channel.bookmarks:
        if each["id"] == call.text("bookmark_id"):
            return each
    raise SlackError("not_found")


def _link(call: Call) -> str:
    parts = urlsplit(call.text("link"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SlackError("invalid_link")
    return call.text("link")


def _pinnable(call: Call, channel: Channel) -> str:
    message = call.world.message(channel.id, call.text("timestamp"))
    if message is None or message.ephemeral_for or message.is_tombstone:
        raise SlackError("message_not_found")
    return message.ts
