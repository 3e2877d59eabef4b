"""What does the screen need to know to draw one interactive element?"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from . import element_state, views
from .element_state import State
from .state import Channel, Message, Person, World
from .surfaces import View

Holder = Message | View
Choice = tuple[str, str]  # what is sent, and the words for it
PEOPLE = ("users_select", "multi_users_select")
CHANNELS = ("channels_select", "multi_channels_select")
CONVERSATIONS = ("conversations_select", "multi_conversations_select")


@dataclass(frozen=True)
class Control:
    """One element on the page: `name` is its form field, `key` what gets the focus back."""

    key: str
    name: str
    label: str
    action: str  # block_id and action_id, as one field
    place: dict[str, str] = field(default_factory=dict)  # what asking for options has to name
    is_set: frozenset[str] = frozenset()  # the values chosen now
    value: str = ""  # what stands in a text field, a date, a time
    chosen: list[Choice] = field(default_factory=list)  # of an external select
    choices: list[Choice] = field(default_factory=list)  # people or channels
    tells_app: bool = True  # block_actions at once; else only with what is sent later


def control(
    world: World, person: Person, holder: Holder, block: dict[str, Any], element: dict[str, Any]
) -> Control:
    """How the element stands for this person."""
    block_id, action_id = block["block_id"], element["action_id"]
    in_view = isinstance(holder, View)
    where = holder.id if isinstance(holder, View) else holder.ts
    state = _state(holder, person, block, element)
    value = element_state.value_of(state) if state else None
    listed = value if isinstance(value, list) else [] if value in (None, "") else [value]
    return Control(
        key=f"{where}/{block_id}/{action_id}",
        name=f"{block_id}|{action_id}" if in_view else "option",
        label=_label(block, element),
        action=f"{block_id}|{action_id}",
        place={"block_id": block_id, "action_id": action_id, **_place(holder)},
        is_set=frozenset(_sent(each) for each in listed),
        value=_shown(element, value, person),
        chosen=[(each["value"], each["text"]["text"]) for each in listed if _is_option(each)],
        choices=_choices(world, person, element),
        tells_app=block["type"] != "input" or bool(block.get("dispatch_action")),
    )


def _place(holder: Holder) -> dict[str, str]:
    if isinstance(holder, View):
        return {"view_id": holder.id}
    return {"channel_id": holder.channel, "ts": holder.ts}


def _state(
    holder: Holder, person: Person, block: dict[str, Any], element: dict[str, Any]
) -> State | None:
    block_id, action_id = block["block_id"], element["action_id"]
    if isinstance(holder, View):
        return views.state_of(holder, block_id, action_id)
    kept: State | None = holder.chosen.get(person.id, {}).get(block_id, {}).get(action_id)
    if kept is None and element_state.has_state(element):
        return element_state.initial(element)
    return kept


def _label(block: dict[str, Any], element: dict[str, Any]) -> str:
    """Words for those who do not see the element's surroundings."""
    for source in (block.get("label"), element.get("placeholder"), element.get("text")):
        if source and source.get("text"):
            return str(source["text"])
    about = (block.get("text") or {}).get("text", "") if block["type"] == "section" else ""
    return str(about)[:80] or element["type"].replace("_", " ")


def _is_option(value: Any) -> bool:
    return isinstance(value, dict) and "value" in value


def _sent(value: Any) -> str:
    return str(value["value"]) if _is_option(value) else str(value)


def _shown(element: dict[str, Any], value: Any, person: Person) -> str:
    if element["type"] == "datetimepicker" and isinstance(value, int):
        local = datetime.fromtimestamp(value, UTC).astimezone(ZoneInfo(person.tz))
        return local.strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, dict) and value.get("type") == "rich_text":
        return str(value["elements"][0]["elements"][0].get("text", ""))
    return value if isinstance(value, str) else ""


def _choices(world: World, person: Person, element: dict[str, Any]) -> list[Choice]:
    kind = element["type"]
    if kind in PEOPLE:
        people = world.people_seen_from(person.team_id)
        return [(each.id, each.real_name) for each in people if not each.deleted]
    if kind in CHANNELS or kind in CONVERSATIONS:
        seen = [each for each in world.channels.values() if _may_choose(each, person, kind)]
        return [(each.id, f"#{each.name}") for each in sorted(seen, key=lambda each: each.name)]
    return []


def _may_choose(channel: Channel, person: Person, kind: str) -> bool:
    if channel.is_archived or channel.is_im or not channel.is_seen_from(person.team_id):
        return False
    return not channel.is_private or (kind in CONVERSATIONS and person.id in channel.members)
