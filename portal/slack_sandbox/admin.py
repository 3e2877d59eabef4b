"""What can an administrator do in the pretend Slack? One function per operation, one table."""

from collections.abc import Callable
from typing import Any

from . import installations
from .platform import Platform
from .state import Channel, Person, World


class Impossible(Exception):
    """The operation makes no sense here; the message says why."""


def rename(platform: Platform, channel: str, name: str) -> None:
    with platform.changing() as world:
        found = _channel(world, channel)
        if any(
            each.name == name and each.team_id == found.team_id for each in world.channels.values()
        ):
            raise Impossible(f"There is a channel #{name} already.")
        found.previous_names.append(found.name)
        found.name = name


def archive(platform: Platform, channel: str) -> None:
    """Archiving removes the app's bot user, as in Slack."""
    with platform.changing() as world:
        found = _channel(world, channel)
        if found.is_general:
            raise Impossible("The general channel cannot be archived.")
        found.is_archived = True
        found.members = [m for m in found.members if not world.people[m].is_bot]


def unarchive(platform: Platform, channel: str) -> None:
    with platform.changing() as world:
        _channel(world, channel).is_archived = False


def delete_channel(platform: Platform, channel: str) -> None:
    with platform.changing() as world:
        del world.channels[_channel(world, channel).id]
        world.messages = {k: m for k, m in world.messages.items() if m.channel != channel}


def restrict_posting(platform: Platform, channel: str, to: str) -> None:
    """Who may post: "everyone" or "admins"."""
    with platform.changing() as world:
        _channel(world, channel).posting = to


def share(platform: Platform, channel: str, team_id: str) -> None:
    with platform.changing() as world:
        found = _channel(world, channel)
        found.shared_with = [*found.shared_with, team_id]


def invite(platform: Platform, channel: str, user: str = "") -> None:
    """Bring a person into a channel; without one, the app."""
    with platform.changing() as world:
        found = _channel(world, channel)
        member = _person(world, user or _bot(world, found)).id
        if found.is_archived:
            raise Impossible(f"#{found.name} is archived.")
        if member not in found.members:
            found.members.append(member)


def remove(platform: Platform, channel: str, user: str = "") -> None:
    """Take a person out of a channel; without one, the app."""
    with platform.changing() as world:
        found = _channel(world, channel)
        member = _person(world, user or _bot(world, found)).id
        found.members = [each for each in found.members if each != member]


def deactivate(platform: Platform, user: str) -> None:
    with platform.changing() as world:
        _person(world, user).deleted = True
        for channel in world.channels.values():
            channel.members = [each for each in channel.members if each != user]


def change_email(platform: Platform, user: str, email: str) -> None:
    with platform.changing() as world:
        _person(world, user).email = email


def make_guest(platform: Platform, user: str, single_channel: bool = False) -> None:
    with platform.changing() as world:
        person = _person(world, user)
        person.is_admin, person.is_restricted = False, True
        person.is_ultra_restricted = single_channel


def require_approval(platform: Platform, team_id: str, required: bool = True) -> None:
    with platform.changing() as world:
        world.workspaces[team_id].approval_required = required


def uninstall(platform: Platform, team_id: str) -> None:
    """An admin removes the app; calls answer `account_inactive` from now on."""
    _end(platform, team_id, "account_inactive")


def revoke(platform: Platform, team_id: str) -> None:
    """An admin revokes the token; calls answer `token_revoked` from now on."""
    _end(platform, team_id, "token_revoked")


def _end(platform: Platform, team_id: str, error: str) -> None:
    with platform.changing() as world:
        own = world.installation_for(team_id)
        if own is None:
            raise Impossible(f"The app is not installed in {team_id}.")
        installations.end(platform, own, error)


def switch(platform: Platform, **values: Any) -> None:
    """Set switches by name; see `state.Switches`."""
    with platform.changing() as world:
        for name, value in values.items():
            if not hasattr(world.switches, name):
                raise Impossible(f"There is no switch {name}.")
            setattr(world.switches, name, value)


def _channel(world: World, channel_id: str) -> Channel:
    if channel_id not in world.channels:
        raise Impossible(f"There is no channel {channel_id}.")
    return world.channels[channel_id]


def _person(world: World, user_id: str) -> Person:
    if user_id not in world.people:
        raise Impossible(f"There is no person {user_id}.")
    return world.people[user_id]


def _bot(world: World, channel: Channel) -> str:
    own = world.installation_for(channel.team_id)
    if own is None:
        raise Impossible("The app is not installed in the workspace of this channel.")
    return own.bot_user_id


OPERATIONS: dict[str, Callable[..., None]] = {
    "rename": rename,
    "archive": archive,
    "unarchive": unarchive,
    "delete": delete_channel,
    "restrict_posting": restrict_posting,
    "share": share,
    "invite": invite,
    "remove": remove,
    "deactivate": deactivate,
    "change_email": change_email,
    "make_guest": make_guest,
    "require_approval": require_approval,
    "uninstall": uninstall,
    "revoke": revoke,
    "switch": switch,
}
