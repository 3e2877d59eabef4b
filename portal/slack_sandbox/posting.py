"""How does a person's own message get into a channel, a thread or the app's direct messages?"""

import re

from . import emoji, messages
from .payloads import NotThere
from .platform import Platform
from .state import Channel, Message, Person, World
from .text import parsed

MOST_TYPED = 12_000  # characters that Slack's composer sends as one message
_NAME = re.compile(r"(?<![\w&<|@])@([a-z0-9][a-z0-9._-]*[a-z0-9])", re.IGNORECASE)


def say(
    platform: Platform,
    team_id: str,
    user_id: str,
    channel_id: str,
    text: str,
    thread_ts: str = "",
    broadcast: bool = False,
) -> Message:
    """Post as this person; `thread_ts` makes it a reply, `broadcast` shows that in the channel too.

    Raises NotThere where Slack would not let them write, with the reason.
    """
    with platform.changing() as world:
        person, channel = world.people[user_id], world.channels[channel_id]
        _check(platform, world, person, channel, text)
        message = Message(channel_id, platform.next_ts(), team_id, user_id)
        message.thread_ts = _parent(world, channel_id, thread_ts)
        message.is_broadcast = broadcast and bool(thread_ts)
        messages.put(platform, message, _content(world, team_id, text), channel)
        message.notifies = [each for each in message.notifies if each != user_id]
        return platform.keep(message)


def echo(platform: Platform, person: Person, channel: Channel, text: str) -> Message:
    """Show what a person typed as a command to the channel. Call it with the lock held."""
    message = Message(channel.id, platform.next_ts(), person.team_id, person.id)
    messages.put(platform, message, _content(platform.world, person.team_id, text), channel)
    return platform.keep(message)


def _content(world: World, team_id: str, text: str) -> messages.Content:
    return messages.Content(text=parsed(escaped(text, world, team_id), world, team_id))


def _check(platform: Platform, world: World, person: Person, channel: Channel, text: str) -> None:
    if not text.strip():
        raise NotThere("Write something first.")
    if len(text) > MOST_TYPED:
        raise NotThere(f"A message may have {MOST_TYPED:,} characters; this one is longer.")
    if channel.is_archived:
        raise NotThere(f"#{channel.name} is archived: nobody can write there.")
    if person.id not in channel.members:
        raise NotThere(f"Join #{channel.name} to write there.")
    if channel.posting == "admins" and not person.is_admin:
        raise NotThere(f"Only admins may write in #{channel.name}.")
    if channel.is_im and platform.manifest.messages_tab_read_only:
        raise NotThere("Sending messages to this app has been turned off.")


def _parent(world: World, channel_id: str, ts: str) -> str:
    if not ts:
        return ""
    parent = world.message(channel_id, ts)
    if parent is None or parent.ephemeral_for:
        raise NotThere("The message to reply to is not there any more.")
    return parent.thread_ts or parent.ts


def escaped(text: str, world: World, team_id: str) -> str:
    """A typed text as Slack stores it: entities, emoji names, `@name` as a mention."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    known = {p.name.lower(): p.id for p in world.people_seen_from(team_id) if not p.deleted}

    def mention(found: re.Match[str]) -> str:
        user_id = known.get(found[1].lower())
        return f"<@{user_id}>" if user_id else found[0]

    return _NAME.sub(mention, emoji.to_names(safe))
