"""How does a modal or a Home tab come up and change, and how does Slack describe it?"""

from collections.abc import Iterator
from typing import Any

from . import element_state
from .block_kit.check import interactive_elements
from .block_kit.ids import give_ids
from .block_kit.view import is_too_large, problems_of_view
from .element_state import State
from .platform import Platform
from .state import World
from .surfaces import View
from .text import stored
from .web_api.call import SlackError

MOST_STACKED = 3
SHOWN = ("type", "blocks", "title", "submit", "close")
Element = tuple[dict[str, Any], dict[str, Any]]  # a block, and an element in it


def checked(world: World, team_id: str, sent: Any, kind: str, own_id: str = "") -> dict[str, Any]:
    """The view as sent, if Slack would take it. Raises SlackError.

    `own_id` is the view it replaces, whose external_id it may keep.
    """
    if not isinstance(sent, dict):
        raise SlackError("invalid_arguments")
    if is_too_large(sent):
        raise SlackError("view_too_large")
    if problems := problems_of_view(sent, kind):
        details = [f"[ERROR] {problem}" for problem in problems]
        raise SlackError("invalid_arguments", response_metadata={"messages": details})
    external_id = sent.get("external_id")
    for other in world.views.values():
        is_other = other.id != own_id and other.team_id == team_id
        if external_id and is_other and other.content.get("external_id") == external_id:
            raise SlackError("duplicate_external_id")
    return sent


def opened(
    platform: Platform,
    installation_id: str,
    team_id: str,
    user_id: str,
    content: dict[str, Any],
    below: View | None = None,
) -> View:
    """Put a checked view on top of `below`, or alone. Call it with the lock held."""
    world = platform.world
    view = View(
        id=f"V{world.count('view'):08}",
        team_id=team_id,
        user=user_id,
        installation_id=installation_id,
        hash="",
        content={},
        previous_view_id=below.id if below else "",
    )
    view.root_view_id = below.root_view_id if below else view.id
    world.views[view.id] = view
    change(platform, view, content)
    return view


def change(platform: Platform, view: View, content: dict[str, Any]) -> None:
    """Replace what a view shows. What was typed stays where block_id and action_id stay."""
    world = platform.world
    blocks = stored(content["blocks"], world, view.team_id)
    give_ids(blocks, lambda: f"b{world.count('block'):05}")
    view.content = {**content, "blocks": blocks}
    view.hash = f"{int(platform.clock.now())}.{platform.secret('')[:8]}"
    before, view.values = view.values, {}
    for block, element in elements_of(view):
        if element_state.has_state(element):
            block_id, action_id = block["block_id"], element["action_id"]
            kept = before.get(block_id, {}).get(action_id)
            same = kept is not None and kept["type"] == element["type"]
            fresh = element_state.initial(element)
            view.values.setdefault(block_id, {})[action_id] = kept if same and kept else fresh
    view.errors, view.trouble = {}, ""


def elements_of(view: View) -> Iterator[Element]:
    for block in view.blocks:
        for element in interactive_elements(block):
            yield block, element


def state_of(view: View, block_id: str, action_id: str) -> State | None:
    return view.values.get(block_id, {}).get(action_id)


def shape(platform: Platform, world: World, view: View) -> dict[str, Any]:
    """A view as answers and payloads carry it (Slack docs: view payloads)."""
    own, content = world.installations[view.installation_id], view.content
    return {
        "id": view.id,
        "team_id": view.team_id,
        **{key: content.get(key) for key in SHOWN},
        "private_metadata": content.get("private_metadata") or "",
        "callback_id": content.get("callback_id") or "",
        "external_id": content.get("external_id") or "",
        "state": {"values": view.values},
        "hash": view.hash,
        "clear_on_close": bool(content.get("clear_on_close")),
        "notify_on_close": bool(content.get("notify_on_close")),
        "submit_disabled": bool(content.get("submit_disabled")),
        "root_view_id": view.root_view_id,
        "previous_view_id": view.previous_view_id or None,
        "app_id": platform.app.app_id,
        "app_installed_team_id": own.team_id or own.enterprise_id,
        "bot_id": own.bot_id,
    }
