"""What can people do to a channel of the pretend Slack? Each change tells the app, as Slack does."""

import re
from typing import Any

from . import events
from .lookups import Impossible, channel_of, member_of, person_of, workspace_of
from .platform import Platform
from .state import Channel, Message, World
from .web_api import shapes

NAME = re.compile(r"[a-z0-9_-]{1,80}")


def create(
    platform: Platform, team_id: str, name: str, user: str = "", private: bool = False
) -> dict[str, Any]:
    """Make a channel whose only member is this person, else an admin; returns it as state."""
    with platform.changing() as world:
        workspace_of(world, team_id)
        _check_name(world, team_id, name)
        maker = person_of(world, user or _an_admin(world, team_id))
        made = Channel(
            id=f"C{world.epoch:02}{world.count('channel'):08}",
            team_id=team_id,
            name=name,
            creator=maker.id,
            created=int(platform.clock.now()),
            is_private=private,
            members=[maker.id],
        )
        world.channels[made.id] = made
        if not private:
            shape = {"id": made.id, "name": name, "created": made.created, "creator": maker.id}
            events.channel_event(platform, made, "channel_created", channel=shape)
        return {"id": made.id, "name": made.name}


def rename(platform: Platform, channel: str, name: str) -> None:
    with platform.changing() as world:
        found = channel_of(world, channel)
        _check_name(world, found.team_id, name)
        found.previous_names = [*found.previous_names, found.name]
        found.name = name
        events.renamed(platform, found)


def archive(platform: Platform, channel: str, user: str = "") -> None:
    """Archiving removes the app's bot user, as in Slack."""
    with platform.changing() as world:
        found = channel_of(world, channel)
        if found.is_general:
            raise Impossible("The general channel cannot be archived.")
        if found.is_archived:
            raise Impossible(f"#{found.name} is archived already.")
        found.is_archived = True
        by = user or _an_admin(world, found.team_id)
        events.channel_changed(platform, found, "archive", user=by)
        found.members = [m for m in found.members if not world.people[m].is_bot]


def unarchive(platform: Platform, channel: str, user: str = "") -> None:
    with platform.changing() as world:
        found = channel_of(world, channel)
        found.is_archived = False
        by = user or _an_admin(world, found.team_id)
        events.channel_changed(platform, found, "unarchive", user=by)


def delete(platform: Platform, channel: str) -> None:
    with platform.changing() as world:
        found = channel_of(world, channel)
        if found.is_general:
            raise Impossible("The general channel cannot be deleted.")
        events.channel_changed(platform, found, "deleted")
        del world.channels[found.id]
        world.messages.pop(found.id, None)


def convert_to_private(platform: Platform, channel: str) -> None:
    """From now on only members know of it; Slack names no event for this."""
    with platform.changing() as world:
        found = channel_of(world, channel)
        if found.is_general:
            raise Impossible("The general channel stays public.")
        found.is_private = True


def change_id(platform: Platform, channel: str, new_id: str = "") -> dict[str, Any]:
    """Give the channel another id, as Slack does when sharing starts; messages move along."""
    with platform.changing() as world:
        found = channel_of(world, channel)
        new_id = new_id or f"C{world.epoch:02}{world.count('channel'):08}"
        if new_id in world.channels:
            raise Impossible(f"There is a channel {new_id} already.")
        world.channels = {
            (new_id if key == channel else key): each for key, each in world.channels.items()
        }
        found.id = new_id
        moved = world.messages.pop(channel, {})
        for message in moved.values():
            message.channel = new_id
        world.messages[new_id] = moved
        ids = {"old_channel_id": channel, "new_channel_id": new_id}
        events.channel_event(platform, found, "channel_id_changed", **ids)
        return {"id": new_id}


def restrict_posting(platform: Platform, channel: str, to: str) -> None:
    """Who may post: "everyone" or "admins"."""
    with platform.changing() as world:
        channel_of(world, channel).posting = to


def share(platform: Platform, channel: str, team_id: str) -> None:
    with platform.changing() as world:
        found = channel_of(world, channel)
        workspace_of(world, team_id)
        found.shared_with = [*found.shared_with, team_id]
        more = {"channel": found.id, "connected_team_id": team_id, "is_ext_shared": True}
        events.channel_event(platform, found, "channel_shared", **more)


def invite(platform: Platform, channel: str, user: str = "") -> None:
    """Bring a person into a channel; without one, the app."""
    with platform.changing() as world:
        found = channel_of(world, channel)
        member = member_of(world, found, user)
        if found.is_archived:
            raise Impossible(f"#{found.name} is archived.")
        if member.id not in found.members:
            found.members.append(member.id)
            events.member_joined(platform, found, member.id)


def remove(platform: Platform, channel: str, user: str = "") -> None:
    """Take a person out of a channel; without one, the app."""
    with platform.changing() as world:
        found = channel_of(world, channel)
        member = member_of(world, found, user)
        if member.id not in found.members:
            raise Impossible(f"{member.real_name} is not in #{found.name}.")
        found.members = [each for each in found.members if each != member.id]
        events.member_left(platform, found, member.id, _an_admin(world, found.team_id))


def edit_message(platform: Platform, channel: str, ts: str, text: str) -> None:
    """The author of a message writes something else instead."""
    with platform.changing() as world:
        message = world.message(channel, ts)
        if message is None or message.is_tombstone:
            raise Impossible(f"There is no message {ts} in {channel}.")
        before = shapes.message(platform, world, message)
        message.text, message.blocks, message.edited_at = text, [], platform.clock.now()
        events.message_changed(platform, message, before)


def delete_message(platform: Platform, channel: str, ts: str) -> None:
    """Somebody removes a message, of whomever; replies stay under a placeholder."""
    with platform.changing() as world:
        message = world.message(channel, ts)
        if message is None or message.is_tombstone:
            raise Impossible(f"There is no message {ts} in {channel}.")
        take_away(platform, message)


def take_away(platform: Platform, message: Message) -> None:
    """Remove a message, or leave a placeholder above its replies. Call it with the lock held."""
    world = platform.world
    before = shapes.message(platform, world, message)
    if any(
        each.is_reply and each.thread_ts == message.ts
        for each in world.messages_in(message.channel)
    ):
        message.is_tombstone = True
        message.text, message.blocks, message.attachments = "This message was deleted.", [], []
    else:
        del world.messages[message.channel][message.ts]
    events.message_deleted(platform, message, before)


def _check_name(world: World, team_id: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise Impossible("A name has up to 80 lower-case letters, digits, hyphens and underscores.")
    if any(each.name == name and each.team_id == team_id for each in world.channels.values()):
        raise Impossible(f"There is a channel #{name} already.")


def _an_admin(world: World, team_id: str) -> str:
    admins = (p.id for p in world.people.values() if p.team_id == team_id and p.is_admin)
    return next(admins, "")
