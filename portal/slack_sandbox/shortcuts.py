"""What happens when a person chooses one of the app's shortcuts?"""

from typing import Any

from . import interactions
from .journal import Delivery
from .payloads import NotThere, channel_name, common, deliver, installed_in, response_url
from .platform import Platform
from .state import World
from .web_api import shapes


def offered(platform: Platform, world: World, team_id: str, kind: str) -> list[dict[str, Any]]:
    """The shortcuts of a kind ("global", "message") that exist in a workspace."""
    own = world.installation_for(team_id)
    if own is None or "commands" not in own.scopes:
        return []
    return platform.manifest.shortcuts(kind)


def run(platform: Platform, team_id: str, user_id: str, callback_id: str) -> Delivery:
    """A global shortcut: it carries no channel and no answer address."""
    with platform.changing() as world:
        _check(platform, world, team_id, "global", callback_id)
        own, person = installed_in(world, team_id), world.people[user_id]
        payload = {
            "type": "shortcut",
            **common(platform, world, own, person, team_id),
            "action_ts": f"{platform.clock.now():.6f}",
            "callback_id": callback_id,
        }
    return deliver(platform, payload)


def run_on_message(
    platform: Platform, team_id: str, user_id: str, channel_id: str, ts: str, callback_id: str
) -> Delivery:
    """A message shortcut, with the complete message. Slack does not offer it on ephemerals."""
    with platform.changing() as world:
        _check(platform, world, team_id, "message", callback_id)
        message = interactions.seen(world, user_id, channel_id, ts)
        if message.ephemeral_for:
            raise NotThere("Shortcuts are not offered on messages that only you see.")
        own, person = installed_in(world, team_id), world.people[user_id]
        channel = world.channels[channel_id]
        payload = {
            "type": "message_action",
            **common(platform, world, own, person, team_id),
            "action_ts": f"{platform.clock.now():.6f}",
            "callback_id": callback_id,
            "channel": {"id": channel.id, "name": channel_name(channel)},
            "message": shapes.message(platform, world, message),
            "message_ts": message.ts,
            "response_url": response_url(platform, world, own, person.id, channel),
        }
    return deliver(platform, payload)


def _check(platform: Platform, world: World, team_id: str, kind: str, callback_id: str) -> None:
    known = [each["callback_id"] for each in offered(platform, world, team_id, kind)]
    if callback_id not in known:
        raise NotThere(f"There is no {kind} shortcut {callback_id} here.")
