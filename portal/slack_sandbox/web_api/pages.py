"""Which part of a long list does this call get? Opaque cursors, and pages that are too short."""

import base64
import binascii
from typing import Any

from .call import Call, SlackError

DEFAULT_LIMIT = 100
MOST = 999  # Slack: an integer under 1000


def page(call: Call, key: str, everything: list[Any]) -> dict[str, Any]:
    """One page and the cursor of the next one; only an empty `next_cursor` ends the list.

    Slack docs, Pagination: fewer items than asked may come although more follow. So the second
    page of every four is cut in half here, and the third is empty.
    """
    start, number = _position(call)
    size = _limit(call)
    if call.world.switches.short_pages:
        size = {1: (size + 1) // 2, 2: 0}.get(number % 4, size)
    following = start + size
    cursor = _cursor(call.method, following, number + 1) if following < len(everything) else ""
    return {key: everything[start:following], "response_metadata": {"next_cursor": cursor}}


def _limit(call: Call) -> int:
    if not call.text("limit"):
        return DEFAULT_LIMIT
    if not call.text("limit").isdecimal() or not 1 <= int(call.text("limit")) <= MOST:
        raise SlackError("invalid_limit")
    return int(call.text("limit"))


def _cursor(method: str, start: int, number: int) -> str:
    return base64.urlsafe_b64encode(f"{method}:{start}:{number}".encode()).decode()


def _position(call: Call) -> tuple[int, int]:
    if not call.text("cursor"):
        return 0, 0
    try:
        decoded = base64.urlsafe_b64decode(call.text("cursor")).decode()
        method, start, number = decoded.split(":")
        position = int(start), int(number)
    except (binascii.Error, ValueError):
        raise SlackError("invalid_cursor") from None
    if method != call.method:
        raise SlackError("invalid_cursor")
    return position
