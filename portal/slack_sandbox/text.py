"""How does Slack store a text, and whom does it ring? Links and mentions are found here."""

import re
from collections.abc import Iterator
from typing import Any

from . import emoji
from .state import World

# Bare forms that come alive when a text is parsed. What stands in <...> or `code` already is decided.
_BARE = re.compile(
    r"(?P<kept><[^>]*>|```.*?```|`[^`\n]+`)"
    r"|(?P<url>https?://[^\s<>|]+)"
    r"|(?<![\w&])@(?P<special>here|channel|everyone)\b"
    r"|(?<![\w&])#(?P<channel>[a-z0-9_-]{1,80})\b",
    re.DOTALL,
)
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
_SPECIAL = re.compile(r"<!(here|channel|everyone)(?:\|[^>]*)?>")


def length(text: str) -> int:
    """Slack does not say how it counts; UTF-16 units are the larger number."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parsed(text: str, world: World, team_id: str) -> str:
    """The text with bare URLs, `@here` and `#channel` brought alive (verbatim false, parse full)."""

    def alive(found: re.Match[str]) -> str:
        if found["url"]:
            url = found["url"].rstrip(".,;:!?)'\"")
            return f"<{url}>{found['url'][len(url) :]}"
        if found["special"]:
            return f"<!{found['special']}>"
        if found["channel"]:
            return _channel_link(found["channel"], world, team_id) or found[0]
        return found[0]

    return _BARE.sub(alive, text)


def _channel_link(name: str, world: World, team_id: str) -> str | None:
    for channel in world.channels.values():
        if channel.name == name and channel.is_seen_from(team_id) and not channel.is_private:
            return f"<#{channel.id}|{name}>"
    return None


def stored(value: Any, world: World, team_id: str) -> Any:
    """Blocks or attachments as Slack gives them back: emoji named, mrkdwn parsed unless verbatim."""
    if isinstance(value, list):
        return [stored(item, world, team_id) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: stored(item, world, team_id) for key, item in value.items()}
    if kept.get("type") in ("mrkdwn", "plain_text") and isinstance(kept.get("text"), str):
        kept["text"] = emoji.to_names(kept["text"])
        if kept["type"] == "mrkdwn" and not kept.setdefault("verbatim", False):
            kept["text"] = parsed(kept["text"], world, team_id)
        if kept["type"] == "plain_text":
            kept.setdefault("emoji", True)
    return kept


def mentions(value: Any) -> Iterator[tuple[str, str]]:
    """All ("user", id) and ("special", here) in texts that Slack would bring alive."""
    if isinstance(value, str):
        yield from (("user", found) for found in _USER.findall(value))
        yield from (("special", found) for found in _SPECIAL.findall(value))
    elif isinstance(value, list):
        for item in value:
            yield from mentions(item)
    elif isinstance(value, dict):
        yield from _mentions_in_object(value)


def _mentions_in_object(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if value.get("type") == "plain_text":
        return
    if value.get("type") == "user":
        yield "user", str(value.get("user_id"))
    elif value.get("type") == "broadcast":
        yield "special", str(value.get("range"))
    else:
        yield from mentions(
            [item for key, item in value.items() if key not in ("value", "url", "confirm")]
        )


def is_true(value: object) -> bool:
    return value in (True, 1, "1", "true", "True")
