"""What happens when a person presses a button or chooses from a menu in a message?"""

import json
from typing import Any
from urllib.parse import urlencode

from .block_kit.check import interactive_elements
from .delivery import send
from .journal import Delivery
from .platform import Platform
from .state import Installation, Message, Person, ResponseURL, World
from .web_api import shapes

RESPONSE_URL_SECONDS = 1_800
TROUBLE = {
    "operation_timeout": "The app did not answer in time (operation_timeout).",
    "http_error": "The app answered with an error.",
    "connection_failed": "The app could not be reached.",
}


class NotThere(Exception):
    """There is nothing like that to act on; the message says what was looked for."""


def click(
    platform: Platform,
    team_id: str,
    user_id: str,
    channel_id: str,
    ts: str,
    block_id: str,
    action_id: str,
    option: str = "",
) -> Delivery:
    """Press a button, or choose the option with this value; delivers `block_actions` and waits.

    Raises NotThere where the person sees no such element, or its app is gone.
    """
    with platform.changing() as world:
        person, message = world.people[user_id], _seen(world, user_id, channel_id, ts)
        block, element, attachment_id = _element(message, block_id, action_id)
        own = _author(world, message)
        payload = _payload(platform, world, team_id, person, message, own)
        payload["actions"] = [_action(platform, block, element, option)]
        if attachment_id:
            payload["container"] |= {"type": "message_attachment", "attachment_id": attachment_id}
    delivery = deliver_interaction(platform, payload)
    where = f"{user_id}/{block_id}/{action_id}"
    with platform.changing():
        message.failures.pop(where, None)
        if delivery.verdict != "ok":
            message.failures[where] = TROUBLE[delivery.verdict]
    return delivery


def deliver_interaction(platform: Platform, payload: dict[str, Any]) -> Delivery:
    body = urlencode({"payload": json.dumps(payload)}).encode()
    return send(platform, payload["type"], platform.manifest.interactions_url, body, payload)


def find(
    world: World, user_id: str, channel_id: str, ts: str, named: str, block_id: str = ""
) -> tuple[str, str]:
    """The block_id and action_id of the element with this action_id, or this text on it."""
    message = _seen(world, user_id, channel_id, ts)
    for block, element, _ in _elements(message):
        names = (element["action_id"], (element.get("text") or {}).get("text"))
        if named in names and block_id in ("", block["block_id"]):
            return block["block_id"], element["action_id"]
    raise NotThere(f"The message {ts} has no button “{named}”.")


def _seen(world: World, user_id: str, channel_id: str, ts: str) -> Message:
    message = world.message(channel_id, ts)
    if message is None or message.is_tombstone or message.ephemeral_for not in ("", user_id):
        raise NotThere(f"{user_id} sees no message {ts} in {channel_id}.")
    return message


def _elements(message: Message) -> list[tuple[dict[str, Any], dict[str, Any], int]]:
    places = [(message.blocks, 0)]
    places += [(each.get("blocks") or [], int(each["id"])) for each in message.attachments]
    return [
        (block, element, attachment_id)
        for blocks, attachment_id in places
        for block in blocks
        for element in interactive_elements(block)
    ]


def _element(
    message: Message, block_id: str, action_id: str
) -> tuple[dict[str, Any], dict[str, Any], int]:
    for block, element, attachment_id in _elements(message):
        if (block["block_id"], element["action_id"]) == (block_id, action_id):
            return block, element, attachment_id
    raise NotThere(f"The message {message.ts} has no element {block_id}/{action_id}.")


def _author(world: World, message: Message) -> Installation:
    for own in world.installations.values():
        if own.bot_id == message.bot_id and own.is_active:
            return own
    raise NotThere("The app of this message is not installed any more; nothing was delivered.")


def _payload(
    platform: Platform,
    world: World,
    team_id: str,
    person: Person,
    message: Message,
    own: Installation,
) -> dict[str, Any]:
    """A `block_actions` payload (Slack docs: block_actions payload), without its actions."""
    workspace, home = world.workspaces[team_id], world.workspaces[own.team_id or team_id]
    channel = world.channels[message.channel]
    in_thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    grid = {"id": home.enterprise_id, "name": home.enterprise_name} if home.enterprise_id else None
    is_wide = own.is_enterprise_install
    team = {"id": home.id, "domain": home.domain}
    if home.enterprise_id:
        team |= {"enterprise_id": home.enterprise_id, "enterprise_name": home.enterprise_name}
    return {
        "type": "block_actions",
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": workspace.id,
        },
        "api_app_id": platform.app.app_id,
        "token": "deprecated-verification-token",
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": bool(message.ephemeral_for),
            **in_thread,
        },
        "trigger_id": f"{world.count('trigger')}.{platform.secret('')[:24]}",
        "team": None if is_wide else team,
        "enterprise": grid,
        "is_enterprise_install": is_wide,
        "channel": {
            "id": channel.id,
            "name": _channel_name(channel.is_im, channel.is_private, channel.name),
        },
        "state": {"values": {}},
        "response_url": _response_url(platform, world, person, message, own),
        **({} if message.ephemeral_for else {"message": shapes.message(platform, world, message)}),
    }


def _channel_name(is_im: bool, is_private: bool, name: str) -> str:
    """Slack hides the name of a private conversation behind a fixed word."""
    if is_im:
        return "directmessage"
    return "privategroup" if is_private else name


def _response_url(
    platform: Platform, world: World, person: Person, message: Message, own: Installation
) -> str:
    made = ResponseURL(
        id=platform.secret("r"),
        installation_id=own.id,
        channel=message.channel,
        user=person.id,
        message_ts=message.ts,
        expires_at=platform.clock.now() + RESPONSE_URL_SECONDS,
    )
    world.response_urls[made.id] = made
    return f"{platform.url}/actions/{message.team_id}/{made.id}"


def _action(
    platform: Platform, block: dict[str, Any], element: dict[str, Any], option: str
) -> dict[str, Any]:
    action = {
        "type": element["type"],
        "block_id": block["block_id"],
        "action_id": element["action_id"],
        "action_ts": f"{platform.clock.now():.6f}",
    }
    if element["type"] == "button":
        shown = ("text", "value", "style", "url")
        return action | {key: element[key] for key in shown if element.get(key) is not None}
    return action | {"selected_option": _option(element, option)}


def _option(element: dict[str, Any], value: str) -> dict[str, Any]:
    groups = [group["options"] for group in element.get("option_groups") or []]
    for options in [element.get("options") or [], *groups]:
        for each in options:
            if each["value"] == value:
                return dict(each)
    raise NotThere(f"{element['action_id']} has no option with the value “{value}”.")
