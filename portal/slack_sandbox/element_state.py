"""What did a person set in an element? One table: how its value is read, sent and shown.

Keys and types of `state.values` (Slack docs: Block Kit, view state).
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .payloads import NotThere
from .state import Person

State = dict[str, Any]

# element type: the key that its state and its action carry
KEYS = {
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "rich_text_input": "rich_text_value",
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "checkboxes": "selected_options",
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
TEXTS = ("plain_text_input", "email_text_input", "url_text_input", "number_input")
LISTS = {"selected_options", "selected_users", "selected_conversations", "selected_channels"}
INITIAL = {
    "value": "initial_value",
    "rich_text_value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_users": "initial_users",
    "selected_conversation": "initial_conversation",
    "selected_conversations": "initial_conversations",
    "selected_channel": "initial_channel",
    "selected_channels": "initial_channels",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
}


def has_state(element: dict[str, Any]) -> bool:
    return element["type"] in KEYS


def initial(element: dict[str, Any]) -> State:
    """The state of an element nobody touched: its initial value, null without one."""
    key = KEYS[element["type"]]
    empty: Any = [] if key in LISTS else None
    return {"type": element["type"], key: element.get(INITIAL[key]) or empty}


def value_of(state: State) -> Any:
    """What the state holds: a text, an option, an id, or a list of them; None or [] when unset."""
    return state.get(KEYS[state["type"]])


def read(
    element: dict[str, Any], given: list[str], person: Person, offered: dict[str, Any]
) -> State:
    """The state after these values (texts, option values, ids) were set.

    `offered` holds the options of an external select that the app suggested. Raises NotThere for an
    option that there is not.
    """
    kind = element["type"]
    key = KEYS[kind]
    values = [each for each in given if each != ""]
    if kind in TEXTS:
        return {"type": kind, key: values[0] if values else None}

    def read_one(each: str) -> Any:
        if key in ("selected_option", "selected_options"):
            return option(element, each, offered)
        if key == "selected_date_time":
            return _moment(each, person.tz)
        return _rich_text(each) if key == "rich_text_value" else each

    read_all = [read_one(each) for each in values]
    if key in LISTS:
        return {"type": kind, key: read_all}
    return {"type": kind, key: read_all[0] if read_all else None}


def option(element: dict[str, Any], value: str, offered: dict[str, Any]) -> dict[str, Any]:
    """The option object with this value. Raises NotThere."""
    for each in [*options(element), *_initial_options(element), *offered.values()]:
        if each["value"] == value:
            return dict(each)
    raise NotThere(f"{element['action_id']} has no option with the value “{value}”.")


def options(element: dict[str, Any]) -> list[dict[str, Any]]:
    """All options of a static element, groups flattened."""
    grouped = [each for group in element.get("option_groups") or [] for each in group["options"]]
    return [*(element.get("options") or []), *grouped]


def _initial_options(element: dict[str, Any]) -> list[dict[str, Any]]:
    one = element.get("initial_option")
    return [*(element.get("initial_options") or []), *([one] if one else [])]


def _moment(text: str, zone: str) -> int:
    """Seconds since 1970, given as such or as a local time of the person."""
    if text.isdecimal():
        return int(text)
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())
    except ValueError:
        raise NotThere(f"“{text}” is no date and time.") from None


def _rich_text(text: str) -> dict[str, Any]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}
