"""What may a person see in the pretend Slack: which people, channels and messages?"""

from dataclasses import dataclass

from flask import abort

from .state import Channel, Message, Person, Workspace, World

MOST_SHOWN = 200  # messages on a page; older ones stay readable through the API


@dataclass(frozen=True)
class Place:
    """Where a page is: a workspace, as one person, in a channel."""

    workspace: Workspace
    person: Person
    channel: Channel | None


def find(world: World, team_id: str, user_id: str, channel_id: str = "") -> Place:
    """The place an address names. 404 where there is none, or the person may not see it."""
    workspace, person = world.workspaces.get(team_id), world.people.get(user_id)
    if workspace is None or person not in people_to_be(world, team_id):
        abort(404, "This sandbox has no such person in this workspace.")
    place = Place(workspace, person, world.channels.get(channel_id))
    if channel_id and place.channel not in channels_seen(world, place):
        abort(404, f"{person.real_name} sees no such channel.")
    return place


def people_to_be(world: World, team_id: str) -> list[Person]:
    return [
        person
        for person in world.people.values()
        if person.team_id == team_id and not person.is_bot and not person.deleted
    ]


def channels_seen(world: World, place: Place) -> list[Channel]:
    """Public ones, and private ones and direct messages the person is in; archived ones last."""
    person, team_id = place.person, place.workspace.id

    def is_seen(each: Channel) -> bool:
        if not each.is_seen_from(team_id):
            return False
        if each.is_im:
            return each.user == person.id
        is_open = not each.is_private and not person.is_guest
        return is_open or person.id in each.members

    seen = [each for each in world.channels.values() if is_seen(each)]
    return sorted(seen, key=lambda each: (each.is_archived, each.is_im, each.name))


def threads(world: World, place: Place) -> list[tuple[Message, list[Message]]]:
    """The channel's newest messages in order, each with its replies."""
    if place.channel is None:
        return []
    shown = [
        message
        for message in world.messages_in(place.channel.id)
        if message.ephemeral_for in ("", place.person.id) and not message.is_dismissed
    ]
    shown.sort(key=lambda message: float(message.ts))
    replies: dict[str, list[Message]] = {
        message.ts: [] for message in shown if not message.is_reply
    }
    for message in shown:
        if message.is_reply:
            replies.setdefault(message.thread_ts, []).append(message)
    leading = [each for each in shown if not each.is_reply]
    return [(each, replies[each.ts]) for each in leading[-MOST_SHOWN:]]
