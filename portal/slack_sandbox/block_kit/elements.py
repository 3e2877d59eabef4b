"""Which interactive elements does Slack know, and what may they hold? One table."""

from .fields import Schema, any_text, anything, items, members, one_of, plain, string, typed, whole

OPTION: Schema = {
    "text*": any_text(75),
    "value*": string(75, 1),
    "description": any_text(75),
    "url": string(3_000),
}
CONFIRM: Schema = {
    "title": plain(100),
    "text*": any_text(300),
    "confirm": plain(30),
    "deny": plain(30),
    "style": one_of("primary", "danger"),
}
GROUP: Schema = {"label*": plain(75), "options*": items(members(OPTION), 100)}

_ACTION: Schema = {"action_id": string(255, 1), "confirm": members(CONFIRM)}
_PICKER: Schema = {**_ACTION, "placeholder": plain(150)}
_STATIC: Schema = {
    **_PICKER,
    "options": items(members(OPTION), 100),
    "option_groups": items(members(GROUP), 100),
}
_EXTERNAL: Schema = {**_PICKER, "min_query_length": whole(3_000)}
_TEXT_INPUT: Schema = {
    **_PICKER,
    "initial_value": string(3_000),
    "min_length": whole(3_000),
    "max_length": whole(3_000, 1),
}

ELEMENTS: dict[str, Schema] = {
    "button": {
        **_ACTION,
        "text*": plain(75),
        "value": string(2_000),
        "url": string(3_000),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
    },
    "workflow_button": {**_ACTION, "text*": plain(75), "workflow*": anything},
    "icon_button": {**_ACTION, "icon*": string(255), "text*": plain(75)},
    "feedback_buttons": {**_ACTION, "positive_button*": anything, "negative_button*": anything},
    "overflow": {**_ACTION, "options*": items(members(OPTION), 5)},
    "radio_buttons": {**_ACTION, "options*": items(members(OPTION), 10)},
    "checkboxes": {**_ACTION, "options*": items(members(OPTION), 10)},
    "static_select": _STATIC,
    "multi_static_select": _STATIC,
    "external_select": _EXTERNAL,
    "multi_external_select": _EXTERNAL,
    "users_select": _PICKER,
    "multi_users_select": _PICKER,
    "conversations_select": _PICKER,
    "multi_conversations_select": _PICKER,
    "channels_select": _PICKER,
    "multi_channels_select": _PICKER,
    "datepicker": _PICKER,
    "timepicker": _PICKER,
    "datetimepicker": _ACTION,
    "plain_text_input": _TEXT_INPUT,
    "email_text_input": _TEXT_INPUT,
    "url_text_input": _TEXT_INPUT,
    "number_input": _TEXT_INPUT,
    "rich_text_input": _PICKER,
    "file_input": _ACTION,
    "image": {"image_url": string(3_000), "alt_text*": string(2_000)},
}
_INPUTS = (
    "plain_text_input",
    "email_text_input",
    "url_text_input",
    "number_input",
    "rich_text_input",
)
_NOT_IN_ACTIONS = (*_INPUTS, "file_input", "image", "icon_button", "feedback_buttons")
_SECTION_ONLY = (*_INPUTS, "file_input", "icon_button", "feedback_buttons")
_NOT_INPUTS = ("button", "workflow_button", "icon_button", "feedback_buttons", "overflow", "image")

in_actions = typed(ELEMENTS, *(kind for kind in ELEMENTS if kind not in _NOT_IN_ACTIONS))
in_section = typed(ELEMENTS, *(kind for kind in ELEMENTS if kind not in _SECTION_ONLY))
in_input = typed(ELEMENTS, *(kind for kind in ELEMENTS if kind not in _NOT_INPUTS))
in_context_actions = typed(ELEMENTS, "icon_button", "feedback_buttons")
