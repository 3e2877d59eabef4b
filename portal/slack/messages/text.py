"""How does text from outside become harmless in Slack, and short enough?"""

import re
from urllib.parse import quote, urlsplit

from slack_sdk.models.blocks import MarkdownTextObject

# Slack has no escape for what it formats with, so it is shown by characters that look like it.
LOOKALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})
EDGE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")  # only there does an underscore format
# Nothing of it can be seen, and most of it turns around or hides what stands beside it: controls
# (no line breaks and tabs), bidirectional embeddings, overrides and isolates, and fillers. What
# joins emoji and letters of some scripts stays (U+200C, U+200D).
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0001]"
)
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def units(text: str) -> int:
    """Length in UTF-16 units: Slack does not say what it counts, and this is the larger number."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)


def visible(text: str) -> str:
    """Text from outside without what nobody sees and what disguises the rest."""
    return INVISIBLE.sub("", text)


def escape(text: str, limit: int) -> str:
    """Escape what Slack would read as a mention or a link, cut to `limit` UTF-16 units as sent.

    https://docs.slack.dev/messaging/formatting-message-text#escaping. Cut after escaping, never
    inside an entity. What is invisible is left out.
    """
    return _escaped(visible(text), limit)


def _escaped(text: str, limit: int) -> str:
    pieces: list[str] = []
    length = 0
    for character in text:
        piece = ENTITIES.get(character, character)
        length += units(piece)
        if length > limit - 1:
            return "".join(pieces) + "…"
        pieces.append(piece)
    return "".join(pieces)


def cut(text: str, limit: int) -> str:
    """Text that Slack shows as it is, in at most `limit` UTF-16 units; not empty."""
    shown = visible(text) or "–"
    if units(shown) <= limit:
        return shown
    kept, length = 0, 0
    for character in shown:
        length += units(character)
        if length > limit - 1:
            break
        kept += 1
    return shown[:kept] + "…"


def plain(text: str) -> str:
    """Text that formats nothing, and ends no bold around it, wherever it stands."""
    return EDGE.sub("＿", text.translate(LOOKALIKES))


def code(text: str, limit: int) -> str:
    """A code block; a fence inside the text cannot end it."""
    fenced = visible(text).replace("```", "`\u200b`\u200b`")
    return f"```{_escaped(fenced, limit - 6)}```"


def markdown(text: str) -> MarkdownTextObject:
    """Formatted text in which nothing that we did not write comes alive (`verbatim`)."""
    return MarkdownTextObject(text=text, verbatim=True)


def link(url: str, label: str, limit: int) -> str:
    """A link with a label that cannot disguise it; plain text where the URL is not http(s)."""
    shown = escape(label.replace("|", "¦").replace("\n", " "), limit)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return shown
    safe = quote(url, safe="%/:=&?~#+!$,;'@()*[]")
    return f"<{safe.replace('&', '&amp;')}|{shown}>"


def moment(timestamp: int, fallback: str) -> str:
    """A time that each reader sees in their own zone."""
    return f"<!date^{timestamp}^{{date_short_pretty}} at {{time}}|{escape(fallback, 60)}>"
