"""What can a test or the demo do in a person's place? The same over HTTP and in one process.

Elements are named by their action_id, their block_id, or the words on them (the text of a button,
the label of an input). Values are texts, option values, or ids; a list where several may be chosen.
"""

import json
from typing import Any

from . import commands, homes, interactions, modals, posting, shortcuts, suggestions, views
from .journal import Delivery
from .operations import Unknown
from .payloads import NotThere
from .platform import Platform
from .state import World
from .surfaces import View
from .web_api import shapes

Given = str | list[str]


def command(
    platform: Platform, team_id: str, channel_id: str, user_id: str, command: str, text: str = ""
) -> Delivery:
    """Send a slash command: command("T0ACME", "C0OPS", "U0ADA", "/il-oncall", "database").

    Raises NotThere, with Slack's words, for a command that does not exist.
    """
    return commands.run(platform, team_id, user_id, channel_id, command, text)


def say(platform: Platform, channel_id: str, user_id: str, text: str) -> dict[str, Any]:
    """Post as this person; the message as the Web API shows it, with its `ts`."""
    return _said(platform, channel_id, user_id, text)


def reply(
    platform: Platform,
    channel_id: str,
    ts: str,
    user_id: str,
    text: str,
    broadcast: bool = False,
) -> dict[str, Any]:
    """Reply in the thread of a message, with `broadcast` in the channel too."""
    return _said(platform, channel_id, user_id, text, ts, broadcast)


def _said(
    platform: Platform,
    channel_id: str,
    user_id: str,
    text: str,
    thread_ts: str = "",
    broadcast: bool = False,
) -> dict[str, Any]:
    team_id = _team_of(platform, user_id)
    made = posting.say(platform, team_id, user_id, channel_id, text, thread_ts, broadcast)
    with platform.reading() as world:
        return shapes.message(platform, world, made) | {"channel": channel_id}


def choose(
    platform: Platform,
    channel_id: str,
    ts: str,
    action_id: str,
    user_id: str,
    value: Given,
    block_id: str = "",
) -> Delivery:
    """Set an element of a message: a select, radio buttons, check boxes, a date, a time."""
    with platform.reading() as world:
        found = interactions.find(world, user_id, channel_id, ts, action_id, block_id)
        team_id = world.people[user_id].team_id
    return interactions.click(platform, team_id, user_id, channel_id, ts, *found, *_listed(value))


def suggest(
    platform: Platform,
    user_id: str,
    action_id: str,
    typed: str,
    channel_id: str = "",
    ts: str = "",
    home: bool = False,
) -> list[dict[str, Any]]:
    """Type into an external select: of a message when `ts` is given, of the Home, else of the modal
    on top.

    Returns the options the app offers, groups flattened. Raises NotThere when its answer is bad.
    """
    team_id = _team_of(platform, user_id)
    with platform.reading() as world:
        if ts:
            block_id, action_id = interactions.find(world, user_id, channel_id, ts, action_id)
            view_id = ""
        else:
            view = _seen(world, user_id, home=home)
            (block_id, action_id), view_id = _named(view, action_id), view.id
    place = suggestions.Place(team_id, user_id, block_id, action_id, channel_id, ts, view_id)
    found = suggestions.ask(platform, place, typed)
    if found.trouble:
        raise NotThere(found.trouble)
    return found.options


def shortcut(platform: Platform, user_id: str, callback_id: str) -> Delivery:
    """Use a global shortcut."""
    return shortcuts.run(platform, _team_of(platform, user_id), user_id, callback_id)


def message_shortcut(
    platform: Platform, channel_id: str, ts: str, user_id: str, callback_id: str
) -> Delivery:
    """Use a message shortcut from the menu of a message."""
    team_id = _team_of(platform, user_id)
    return shortcuts.run_on_message(platform, team_id, user_id, channel_id, ts, callback_id)


def open_view_of(platform: Platform, user_id: str) -> dict[str, Any] | None:
    """The modal on top as the person sees it: the view, with `errors` and `trouble`; None: none."""
    with platform.reading() as world:
        stack = world.modals_of(user_id)
        return _told(platform, world, stack[-1]) if stack else None


def wait_for_view(
    platform: Platform, user_id: str, text: str = "", timeout: float = 10.0
) -> dict[str, Any]:
    """The modal on top, once it says `text` anywhere; Unknown if it does not in time."""

    def find() -> dict[str, Any] | None:
        view = open_view_of(platform, user_id)
        return view if view and text in json.dumps(view, ensure_ascii=False) else None

    found = platform.wait_for(find, timeout)
    if found is None:
        raise Unknown(f"No modal of {user_id} says “{text}” within {timeout} seconds.")
    return found


def home_of(platform: Platform, user_id: str) -> dict[str, Any] | None:
    """What the app published as this person's Home; None before it did."""
    with platform.reading() as world:
        view = world.home_of(user_id)
        return _told(platform, world, view) if view else None


def open_home(platform: Platform, user_id: str, tab: str = "home") -> None:
    """Open the app's Home ("home" or "messages"); the app hears of it as `app_home_opened`."""
    homes.open_home(platform, _team_of(platform, user_id), user_id, tab)


def fill_view(platform: Platform, user_id: str, values: dict[str, Given]) -> dict[str, Any] | None:
    """Type and choose in the modal on top, without sending anything."""
    with platform.reading() as world:
        view = _on_top(world, user_id)
        named = {_named(view, name): _listed(value) for name, value in values.items()}
    modals.fill(platform, user_id, view.id, named)
    return open_view_of(platform, user_id)


def act_in_view(
    platform: Platform, user_id: str, action_id: str, value: Given = "", home: bool = False
) -> Delivery:
    """Press a button or set an element of the modal on top, or of the Home: `block_actions`."""
    with platform.reading() as world:
        view = _seen(world, user_id, home=home)
        found = _named(view, action_id)
    return modals.act(platform, user_id, view.id, *found, _listed(value))


def submit_view(
    platform: Platform, user_id: str, values: dict[str, Given] | None = None
) -> Delivery:
    """Fill in the modal on top and submit it.

    Raises NotThere (as modals.Unfinished) when Slack itself finds a field empty or wrong.
    """
    if values:
        fill_view(platform, user_id, values)
    with platform.reading() as world:
        view_id = _on_top(world, user_id).id
    return modals.submit(platform, user_id, view_id)


def close_view(platform: Platform, user_id: str, whole_stack: bool = False) -> list[Delivery]:
    """Cancel the modal on top, or all of them; returns what the app was told (notify_on_close)."""
    with platform.reading() as world:
        view_id = _on_top(world, user_id).id
    return modals.close(platform, user_id, view_id, whole_stack)


def _team_of(platform: Platform, user_id: str) -> str:
    with platform.reading() as world:
        return world.people[user_id].team_id


def _listed(value: Given) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _seen(world: World, user_id: str, *, home: bool) -> View:
    """The person's Home, or the modal on top."""
    view = world.home_of(user_id) if home else _on_top(world, user_id)
    if view is None:
        raise NotThere(f"The app published no Home for {user_id}.")
    return view


def _on_top(world: World, user_id: str) -> View:
    stack = world.modals_of(user_id)
    if not stack:
        raise NotThere(f"{user_id} has no modal open.")
    return stack[-1]


def _named(view: View, name: str) -> tuple[str, str]:
    for block, element in views.elements_of(view):
        words = [(each or {}).get("text") for each in (block.get("label"), element.get("text"))]
        if name in (element["action_id"], block["block_id"], *words):
            return block["block_id"], element["action_id"]
    raise NotThere(f"The view has no element “{name}”.")


def _told(platform: Platform, world: World, view: View) -> dict[str, Any]:
    shown = views.shape(platform, world, view)
    told: dict[str, Any] = json.loads(json.dumps(shown))
    return told | {"errors": dict(view.errors), "trouble": view.trouble}
