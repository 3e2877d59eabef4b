"""Does a list of blocks keep Slack's rules? `problems_of` says what does not, in Slack's words."""

from collections.abc import Iterator
from typing import Any

from ..text import length
from .elements import ELEMENTS, in_actions, in_context_actions, in_input, in_section
from .fields import Problems, Schema, any_text, anything, items, plain, string, typed

MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
MARKDOWN_TOTAL = 12_000

_CONTEXT: dict[str, Schema] = {
    "image": ELEMENTS["image"],
    "plain_text": {"text*": string(3_000, 1)},
    "mrkdwn": {"text*": string(3_000, 1)},
}
_RICH: dict[str, Schema] = {
    kind: {"elements*": anything}
    for kind in ("rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote")
}
_CELL: dict[str, Schema] = {
    "raw_text": {"text*": anything},
    "raw_number": {"value*": anything},
    "rich_text": {"elements*": anything},
}
_CARD: Schema = {"title": any_text(150), "subtitle": any_text(150), "body": any_text(200)}
BLOCKS: dict[str, Schema] = {
    "section": {
        "text": any_text(3_000),
        "fields": items(any_text(2_000), 10),
        "accessory": in_section,
    },
    "header": {"text*": plain(150)},
    "divider": {},
    "image": {"alt_text*": string(2_000), "image_url": string(3_000), "title": plain(2_000)},
    "context": {"elements*": items(typed(_CONTEXT), 10)},
    "actions": {"elements*": items(in_actions, 25)},
    "context_actions": {"elements*": items(in_context_actions, 5)},
    "input": {"label*": plain(2_000), "element*": in_input, "hint": plain(2_000)},
    "rich_text": {"elements*": items(typed(_RICH), 1_000, 0)},
    "markdown": {"text*": string(MARKDOWN_TOTAL, 1)},
    "table": {"rows*": items(items(typed(_CELL), 20), 100)},
    "video": {"title*": plain(200), "alt_text*": string(2_000), "video_url*": string(3_000)},
    "card": _CARD,
    "carousel": {"elements*": items(typed({"card": _CARD}), 10)},
    "task_card": {"title*": anything, "task_id*": string(255)},
    "plan": {"title*": anything},
    "alert": {"text*": any_text(200)},
}
MODAL_ONLY = {"alert"}


def problems_of(blocks: list[Any], surface: str = "message", at: str = "/blocks") -> list[str]:
    """Everything wrong with the blocks; an empty list means that Slack would take them.

    Sources: Slack docs, Block Kit reference; numbers as in the limits of the official SDKs.
    """
    problems = Problems()
    if len(blocks) > MOST_BLOCKS[surface]:
        problems.add(f"no more than {MOST_BLOCKS[surface]} items allowed", at)
    allowed = [kind for kind in BLOCKS if surface == "modal" or kind not in MODAL_ONLY]
    for number, block in enumerate(blocks):
        typed(BLOCKS, *allowed)(block, f"{at}/{number}", problems)
        if isinstance(block, dict):
            _check_block(block, f"{at}/{number}", problems)
    _check_all([block for block in blocks if isinstance(block, dict)], at, problems)
    return problems.found


def _check_block(block: dict[str, Any], at: str, problems: Problems) -> None:
    if block.get("block_id") is not None:
        string(255, 1)(block["block_id"], f"{at}/block_id", problems)
    if block.get("type") == "section" and not block.get("text") and not block.get("fields"):
        problems.add("missing required field: text", at)
    for element in interactive_elements(block):
        is_static = element["type"] in ("static_select", "multi_static_select")
        if is_static and not element.get("options") and not element.get("option_groups"):
            problems.add("missing required field: options", at)
    ids = [element.get("action_id") for element in interactive_elements(block)]
    for repeated in _repeated(ids):
        problems.add(f"`action_id` {repeated} is not unique in its block", at)


def _check_all(blocks: list[dict[str, Any]], at: str, problems: Problems) -> None:
    for repeated in _repeated([block.get("block_id") for block in blocks]):
        problems.add(f"`block_id` {repeated} is not unique", at)
    if sum(block.get("type") == "table" for block in blocks) > 1:
        problems.add("no more than 1 table allowed", at)
    markdown = [str(b.get("text")) for b in blocks if b.get("type") == "markdown"]
    if sum(length(one) for one in markdown) > MARKDOWN_TOTAL:
        problems.add(f"no more than {MARKDOWN_TOTAL} characters of markdown allowed", at)


def _repeated(ids: list[Any]) -> list[str]:
    given = [one for one in ids if isinstance(one, str)]
    return sorted({one for one in given if given.count(one) > 1})


def interactive_elements(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The elements of a block that can be acted on: of actions, sections and inputs."""
    candidates = [block.get("accessory"), block.get("element")]
    if block.get("type") in ("actions", "context_actions"):
        listed = block.get("elements")
        candidates += listed if isinstance(listed, list) else []
    for element in candidates:
        if (
            isinstance(element, dict)
            and element.get("type") in ELEMENTS
            and element["type"] != "image"
        ):
            yield element


def text_total(value: Any) -> int:
    """The characters of all texts in blocks, which Slack limits by a number it does not publish."""
    if isinstance(value, list):
        return sum(text_total(item) for item in value)
    if not isinstance(value, dict):
        return 0
    own = length(value["text"]) if isinstance(value.get("text"), str) else 0
    return own + sum(text_total(item) for item in value.values())
