"""What happens when a person presses a button or chooses something in a message?"""

from typing import Any

from . import element_state
from .block_kit.check import interactive_elements
from .element_state import State
from .journal import Delivery
from .payloads import (
    TROUBLE,
    NotThere,
    channel_name,
    common,
    deliver,
    response_url,
)
from .platform import Platform
from .state import Installation, Message, Person, World
from .web_api import shapes


def click(
    platform: Platform,
    team_id: str,
    user_id: str,
    channel_id: str,
    ts: str,
    block_id: str,
    action_id: str,
    *values: str,
) -> Delivery:
    """Press a button, or set an element to these values; delivers `block_actions` and waits.

    Values are what `element_state.read` takes. Raises NotThere where the person sees no such
    element, or its app is gone.
    """
    with platform.changing() as world:
        person, message = world.people[user_id], seen(world, user_id, channel_id, ts)
        block, element, attachment_id = _element(message, block_id, action_id)
        own = author(world, message)
        state = _set(world, message, person, block, element, list(values))
        payload = _payload(platform, world, team_id, person, message, own)
        payload["actions"] = [action(platform, block, element, state, values)]
        if attachment_id:
            payload["container"] |= {"type": "message_attachment", "attachment_id": attachment_id}
    delivery = deliver(platform, payload)
    where = f"{user_id}/{block_id}/{action_id}"
    with platform.changing():
        message.failures.pop(where, None)
        if delivery.verdict != "ok":
            message.failures[where] = TROUBLE[delivery.verdict]
    return delivery


def keep(
    platform: Platform,
    team_id: str,
    user_id: str,
    channel_id: str,
    ts: str,
    block_id: str,
    action_id: str,
    *values: str,
) -> None:
    """Fill in an input of a message: it tells the app nothing until something else is pressed."""
    with platform.changing() as world:
        message = seen(world, user_id, channel_id, ts)
        block, element, _ = _element(message, block_id, action_id)
        _set(world, message, world.people[user_id], block, element, list(values))


def find(
    world: World, user_id: str, channel_id: str, ts: str, named: str, block_id: str = ""
) -> tuple[str, str]:
    """The block_id and action_id of the element with this action_id, or this text on it."""
    message = seen(world, user_id, channel_id, ts)
    for block, element, _ in elements_of(message):
        names = (element["action_id"], (element.get("text") or {}).get("text"))
        if named in names and block_id in ("", block["block_id"]):
            return block["block_id"], element["action_id"]
    raise NotThere(f"The message {ts} has no button “{named}”.")


def seen(world: World, user_id: str, channel_id: str, ts: str) -> Message:
    """The message, if the person sees it. Raises NotThere."""
    message = world.message(channel_id, ts)
    if message is None or message.is_tombstone or message.ephemeral_for not in ("", user_id):
        raise NotThere(f"{user_id} sees no message {ts} in {channel_id}.")
    return message


def elements_of(message: Message) -> list[tuple[dict[str, Any], dict[str, Any], int]]:
    """Each element with its block and the number of its attachment, 0 outside of them."""
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
    named = [each for each in elements_of(message) if each[1]["action_id"] == action_id]
    exact = [each for each in named if each[0]["block_id"] == block_id]
    # The app may have changed the message, and its block ids, while the hand was on its way.
    found = exact or named
    if len(found) != 1:
        raise NotThere(f"The message {message.ts} has no element {block_id}/{action_id}.")
    return found[0]


def author(world: World, message: Message) -> Installation:
    """Who gets the clicks on a message. Raises NotThere once the app is gone.

    An app that was removed and installed again has the same bot user, and its old messages.
    """
    for own in world.installations.values():
        if own.bot_user_id == message.user and own.is_active:
            return own
    raise NotThere("The app of this message is not installed any more; nothing was delivered.")


def values_in(message: Message, user_id: str) -> dict[str, dict[str, State]]:
    """`state.values` of a message: what this person set, else what the elements started with."""
    chosen = message.chosen.get(user_id, {})
    values: dict[str, dict[str, State]] = {}
    for block, element, _ in elements_of(message):
        if element_state.has_state(element):
            block_id, action_id = block["block_id"], element["action_id"]
            state = chosen.get(block_id, {}).get(action_id) or element_state.initial(element)
            values.setdefault(block_id, {})[action_id] = state
    return values


def _set(
    world: World,
    message: Message,
    person: Person,
    block: dict[str, Any],
    element: dict[str, Any],
    values: list[str],
) -> State | None:
    """Remember what the person set; None for buttons and overflow menus, which hold nothing."""
    if not element_state.has_state(element):
        return None
    block_id, action_id = block["block_id"], element["action_id"]
    offered = world.suggested.get(f"{person.id}/{message.ts}/{block_id}/{action_id}", {})
    state = element_state.read(element, values, person, offered)
    message.chosen.setdefault(person.id, {}).setdefault(block_id, {})[action_id] = state
    return state


def _payload(
    platform: Platform,
    world: World,
    team_id: str,
    person: Person,
    message: Message,
    own: Installation,
) -> dict[str, Any]:
    """A `block_actions` payload (Slack docs: block_actions payload), without its actions."""
    channel = world.channels[message.channel]
    return {
        "type": "block_actions",
        **common(platform, world, own, person, team_id),
        "container": container(message),
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": values_in(message, person.id)},
        "response_url": response_url(platform, world, own, person.id, channel, message.ts),
        **({} if message.ephemeral_for else {"message": shapes.message(platform, world, message)}),
    }


def container(message: Message) -> dict[str, Any]:
    in_thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    return {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": bool(message.ephemeral_for),
        **in_thread,
    }


def action(
    platform: Platform,
    block: dict[str, Any],
    element: dict[str, Any],
    state: State | None,
    values: tuple[str, ...],
) -> dict[str, Any]:
    """The entry of `actions[]` for one element that was pressed or set."""
    told = {
        "type": element["type"],
        "block_id": block["block_id"],
        "action_id": element["action_id"],
        "action_ts": f"{platform.clock.now():.6f}",
    }
    if state is not None:
        placeholder = {key: element[key] for key in ("placeholder",) if key in element}
        return {**told, **placeholder, **state}
    if element["type"] == "overflow":
        return told | {"selected_option": element_state.option(element, "".join(values), {})}
    shown = ("text", "value", "style", "url")
    return told | {key: element[key] for key in shown if element.get(key) is not None}
