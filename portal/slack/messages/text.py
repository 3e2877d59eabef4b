"""How does text from outside become harmless in Slack, and short enough?"""

from urllib.parse import quote, urlsplit

ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def units(text: str) -> int:
    """Length in UTF-16 units: Slack does not say what it counts, and this is the larger number."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)


def escape(text: str, limit: int) -> str:
    """Escape what Slack would read as a mention or a link, cut to `limit` UTF-16 units as sent.

    https://docs.slack.dev/messaging/formatting-message-text#escaping. Cut after escaping, never
    inside an entity.
    """
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
    shown = text or "–"
    if units(shown) <= limit:
        return shown
    kept, length = 0, 0
    for character in shown:
        length += units(character)
        if length > limit - 1:
            break
        kept += 1
    return shown[:kept] + "…"


def code(text: str, limit: int) -> str:
    """A code block; a fence inside the text cannot end it."""
    return f"```{escape(text.replace('```', '`​`​`'), limit - 6)}```"


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
