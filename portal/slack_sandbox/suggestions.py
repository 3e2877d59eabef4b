"""Which options does the app offer while a person types into an external select?"""

import json
from dataclasses import dataclass, field
from typing import Any

from . import element_state, interactions, modals, views
from .block_kit.elements import GROUP, OPTION
from .block_kit.fields import Problems, items, members
from .journal import Delivery
from .payloads import NotThere, channel_name, deliver, identity
from .platform import Platform
from .state import World
from .web_api import shapes

SHORTEST = 3  # characters before Slack asks, unless the element says otherwise
EXTERNAL = ("external_select", "multi_external_select")
_OPTIONS, _GROUPS = items(members(OPTION), 100, 0), items(members(GROUP), 100, 0)


@dataclass
class Suggestions:
    """The options in order; `groups` has them by label where the app grouped them."""

    options: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    trouble: str = ""
    delivery: Delivery | None = None  # None when too little was typed to ask


@dataclass(frozen=True)
class Place:
    """Where the select stands: in a message of a channel, or in a view."""

    team_id: str
    user_id: str
    block_id: str
    action_id: str
    channel_id: str = ""
    ts: str = ""
    view_id: str = ""

    @property
    def key(self) -> str:
        return f"{self.user_id}/{self.view_id or self.ts}/{self.block_id}/{self.action_id}"


def ask(platform: Platform, place: Place, typed: str) -> Suggestions:
    """Ask the app for options (`block_suggestion`), and keep them so that one can be chosen.

    Raises NotThere where there is no such select. Source: Slack docs, select menu elements.
    """
    with platform.changing() as world:
        element, payload = _look(platform, world, place)
        if element["type"] not in EXTERNAL:
            raise NotThere(f"{place.action_id} does not ask the app for its options.")
        if len(typed) < element.get("min_query_length", SHORTEST):
            return Suggestions()
        payload |= {"block_id": place.block_id, "action_id": place.action_id, "value": typed}
    delivery = deliver(platform, payload, platform.manifest.options_url)
    found = _read(delivery)
    if found.trouble and delivery.verdict == "ok":
        delivery.verdict = "bad_answer"
        platform.violation("bad_options", found.trouble, "block_suggestion")
    with platform.changing() as world:
        offered = {each["value"]: each for each in found.options}
        world.suggested[place.key] = world.suggested.get(place.key, {}) | offered
    return found


def _look(platform: Platform, world: World, place: Place) -> tuple[dict[str, Any], dict[str, Any]]:
    """The select, and the payload without what was typed."""
    person, payload = world.people[place.user_id], {"type": "block_suggestion"}
    told: dict[str, Any]
    if place.view_id:
        view = modals.open_view(world, place.user_id, place.view_id)
        own, elements = world.installations[view.installation_id], list(views.elements_of(view))
        told = {
            "container": {"type": "view", "view_id": view.id},
            "view": views.shape(platform, world, view),
        }
    else:
        message = interactions.seen(world, place.user_id, place.channel_id, place.ts)
        channel, own = world.channels[place.channel_id], interactions.author(world, message)
        elements = [(block, each) for block, each, _ in interactions.elements_of(message)]
        shown = {} if message.ephemeral_for else shapes.message(platform, world, message)
        told = {
            "container": interactions.container(message),
            "channel": {"id": channel.id, "name": channel_name(channel)},
            **({"message": shown} if shown else {}),
        }
    for block, element in elements:
        if (block["block_id"], element["action_id"]) == (place.block_id, place.action_id):
            who = identity(platform, world, own, person, place.team_id)
            return element, {**payload, **who, **told}
    raise NotThere(f"There is no element {place.block_id}/{place.action_id}.")


def _read(delivery: Delivery) -> Suggestions:
    """The app's answer, if Slack would take it: at most 100 options with valid texts."""
    if delivery.verdict != "ok":
        return Suggestions(trouble="The options could not be loaded.", delivery=delivery)
    try:
        sent = json.loads(delivery.answer)
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or not ("options" in sent or "option_groups" in sent):
        words = "the answer has neither options nor option_groups"
        return Suggestions(trouble=words, delivery=delivery)
    problems = Problems()
    groups, options = sent.get("option_groups") or [], sent.get("options") or []
    _OPTIONS(options, "/options", problems)
    _GROUPS(groups, "/option_groups", problems)
    if problems.found:
        return Suggestions(trouble="; ".join(problems.found[:5]), delivery=delivery)
    grouped = element_state.options({"option_groups": groups})
    return Suggestions([*options, *grouped], groups, delivery=delivery)
