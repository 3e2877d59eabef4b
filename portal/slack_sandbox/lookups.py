"""Which channel, person or installation does an operation name? Refuses in words where there is none."""

from .state import Channel, Installation, Person, Workspace, World


class Impossible(Exception):
    """The operation makes no sense here; the message says why."""


def channel_of(world: World, channel_id: str) -> Channel:
    if channel_id not in world.channels:
        raise Impossible(f"There is no channel {channel_id}.")
    return world.channels[channel_id]


def person_of(world: World, user_id: str) -> Person:
    if user_id not in world.people:
        raise Impossible(f"There is no person {user_id}.")
    return world.people[user_id]


def workspace_of(world: World, team_id: str) -> Workspace:
    if team_id not in world.workspaces:
        raise Impossible(f"There is no workspace {team_id}.")
    return world.workspaces[team_id]


def installation_of(world: World, team_id: str) -> Installation:
    own = world.installation_for(workspace_of(world, team_id).id)
    if own is None:
        raise Impossible(f"The app is not installed in {team_id}.")
    return own


def member_of(world: World, channel: Channel, user_id: str) -> Person:
    """The person named; without a name the app's own bot user."""
    if user_id:
        return person_of(world, user_id)
    own = world.installation_for(channel.team_id)
    if own is None:
        raise Impossible("The app is not installed in the workspace of this channel.")
    return world.people[own.bot_user_id]
