"""Which ids does Slack give to blocks and elements that came without?"""

from collections.abc import Callable
from typing import Any

from .check import interactive_elements


def give_ids(blocks: list[dict[str, Any]], new_id: Callable[[], str]) -> None:
    """Fill in missing `block_id` and `action_id`, in place, as Slack does on posting."""
    for block in blocks:
        if not block.get("block_id"):
            block["block_id"] = new_id()
        for element in interactive_elements(block):
            if not element.get("action_id"):
                element["action_id"] = new_id()


def explicit_ids(blocks: list[Any]) -> set[str]:
    """The block ids that the sender chose."""
    return {b["block_id"] for b in blocks if isinstance(b, dict) and b.get("block_id")}
