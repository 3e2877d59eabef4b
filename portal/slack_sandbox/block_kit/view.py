"""Does a view keep Slack's rules? What it holds besides its blocks, and then the blocks."""

import json
from typing import Any

from .check import problems_of
from .fields import Problems, Schema, anything, members, plain, string

MOST_BYTES = 250_000
_COMMON: Schema = {
    "blocks*": anything,
    "private_metadata": string(3_000),
    "callback_id": string(255),
    "external_id": string(255),
}
VIEWS: dict[str, Schema] = {
    "modal": {"title*": plain(24), "submit": plain(24), "close": plain(24), **_COMMON},
    "home": _COMMON,
}
KNOWN = {
    *("type", "title", "submit", "close", "blocks", "private_metadata", "callback_id"),
    *("external_id", "clear_on_close", "notify_on_close", "submit_disabled"),
}


def problems_of_view(view: dict[str, Any], kind: str) -> list[str]:
    """Everything wrong with a view of this kind ("modal" or "home"), in Slack's words."""
    problems = Problems()
    if view.get("type") != kind:
        problems.add(f"must be one of {kind}", "/view/type")
        return problems.found
    members(VIEWS[kind])(view, "/view", problems)
    for key in sorted(set(view) - KNOWN):
        problems.add(f"invalid additional property: {key}", "/view")
    blocks = view.get("blocks")
    if not isinstance(blocks, list):
        problems.add("must be an array", "/view/blocks")
        return problems.found
    has_input = any(isinstance(each, dict) and each.get("type") == "input" for each in blocks)
    if kind == "modal" and has_input and not view.get("submit"):
        problems.add("`submit` is required when an `input` block is in the view", "/view/submit")
    return problems.found + problems_of(blocks, kind, "/view/blocks")


def is_too_large(view: dict[str, Any]) -> bool:
    return len(json.dumps(view, ensure_ascii=False).encode()) > MOST_BYTES
