"""How does Slack's mrkdwn look as HTML? Everything a message carries is escaped here, once.

Rules: https://docs.slack.dev/messaging/formatting-message-text
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup, escape

from portal.slack_sandbox.emoji import to_signs

FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
QUOTE = re.compile(r"^(?:&gt;|>) ?")
# Inside a span, links and code are one piece each, so that their own * and _ close nothing.
SPAN = (
    r"(?<![\w{mark}])[{mark}](?P<{name}>(?!\s)(?:<[^<>\n]+>|`[^`\n]+`|[^{mark}\n<`])+?(?<!\s))"
    r"[{mark}](?![\w{mark}])"
)
INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`|<(?P<control>[^<>\n]+)>|"
    + "|".join(
        SPAN.format(mark=mark, name=name)
        for mark, name in (("*", "strong"), ("_", "em"), ("~", "s"))
    )
)
QUOTED, BREAK = Markup("<blockquote>{}</blockquote>"), Markup("<br>")
DATE_TOKEN = re.compile(r"\{([a-z_]+)\}")

DATE_FORMATS = {
    "date_num": "%Y-%m-%d",
    "date_slash": "%m/%d/%Y",
    "date": "%B %-d, %Y",
    "date_short": "%b %-d, %Y",
    "date_long": "%A, %B %-d, %Y",
    "time": "%H:%M",
    "time_secs": "%H:%M:%S",
}
COLOURS = {"good": "#2eb67d", "warning": "#ecb22e", "danger": "#e01e5a"}


@dataclass(frozen=True)
class Names:
    """What the reader sees instead of ids, and the zone that dates are told in."""

    people: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"


def plain(text: str) -> str:
    """Undo the three entities that Slack's text carries; nothing else is an entity there."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def safe_url(url: object) -> str | None:
    """Return the address if a person may be sent there: http and https only."""
    text = plain(str(url or "")).strip()
    return text if re.match(r"https?://[^\s]+$", text, re.IGNORECASE) else None


def colour(value: object) -> str:
    """Return an attachment's bar colour as a hex value; anything odd becomes grey."""
    text = COLOURS.get(str(value), str(value))
    text = text if text.startswith("#") else f"#{text}"
    return text if re.fullmatch(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", text) else "#8d8d8d"


def moment(seconds: float, zone: str, pattern: str = "%H:%M") -> str:
    """Tell a moment in a person's zone; an unknown zone is UTC."""
    try:
        info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        info = ZoneInfo("UTC")
    return datetime.fromtimestamp(seconds, UTC).astimezone(info).strftime(pattern)


def plain_text(text: str) -> Markup:
    """Draw a plain_text object: line breaks and emoji names, no formatting."""
    return BREAK.join(escape(line) for line in to_signs(plain(text)).split("\n"))


def mrkdwn(text: str, names: Names) -> Markup:
    """Draw a mrkdwn text as HTML that is safe whatever the text contains."""
    parts = FENCE.split(text)
    drawn = [
        Markup('<pre tabindex="0"><code>{}</code></pre>').format(plain(part))
        if position % 2
        else _lines(part, names)
        for position, part in enumerate(parts)
    ]
    return Markup("").join(drawn)


def _lines(text: str, names: Names) -> Markup:
    """Draw the part between fences: lines, and runs of quoted lines as one quote."""
    groups: list[tuple[bool, list[Markup]]] = []
    for line in text.split("\n"):
        quoted = bool(QUOTE.match(line))
        drawn = _inline(QUOTE.sub("", line) if quoted else line, names)
        if groups and groups[-1][0] == quoted:
            groups[-1][1].append(drawn)
        else:
            groups.append((quoted, [drawn]))
    return Markup("").join(
        (QUOTED if quoted else Markup("{}")).format(BREAK.join(drawn)) for quoted, drawn in groups
    )


def _inline(text: str, names: Names) -> Markup:
    """Draw one line; formats nest, because the inside of a format is a line again."""
    pieces, end = [], 0
    for hit in INLINE.finditer(text):
        pieces += [escape(to_signs(plain(text[end : hit.start()]))), _token(hit, names)]
        end = hit.end()
    return Markup("").join([*pieces, escape(to_signs(plain(text[end:])))])


def _token(hit: re.Match[str], names: Names) -> Markup:
    kind, inside = hit.lastgroup or "", hit[hit.lastgroup or 0]
    if kind == "code":
        return Markup("<code>{}</code>").format(plain(inside))
    if kind == "control":
        return _control(inside, names)
    return Markup(f"<{kind}>{{}}</{kind}>").format(_inline(inside, names))  # noqa: S704 - our tag names


def _control(inside: str, names: Names) -> Markup:
    """Draw what stands between < and >: a link, a mention, a channel or a date."""
    target, _, label = inside.partition("|")
    for prefix, draw in CONTROLS.items():
        if target.startswith(prefix):
            return draw(target.removeprefix(prefix), label, names)
    url = safe_url(target.removeprefix("mailto:") if "@" in target else target)
    if url is None:
        return escape(plain(label or target))
    return _link(url, plain(label) or url)


def _link(url: str, label: str) -> Markup:
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(
        url, label
    )


def _person(user: str, label: str, names: Names) -> Markup:
    known = names.people.get(user) or plain(label) or user
    return Markup('<span class="mention">@{}</span>').format(known)


def _channel(channel: str, label: str, names: Names) -> Markup:
    known = names.channels.get(channel) or plain(label) or channel
    return Markup('<span class="mention">#{}</span>').format(known)


def _date(body: str, fallback: str, names: Names) -> Markup:
    seconds, _, rest = body.partition("^")
    pattern, _, link = rest.partition("^")
    if not seconds.isdecimal() or len(seconds) > 11:
        return escape(plain(fallback))

    def told(token: re.Match[str]) -> str:
        layout = DATE_FORMATS.get(token[1].removesuffix("_pretty"))
        return moment(int(seconds), names.zone, layout) if layout else token[0]

    text, url = DATE_TOKEN.sub(told, plain(pattern)), safe_url(link)
    return _link(url, text) if url else Markup("<time>{}</time>").format(text)


def _group(group: str, label: str, names: Names) -> Markup:
    known = names.groups.get(group)
    words = f"@{known}" if known else plain(label) or f"@{group}"
    return Markup('<span class="mention">{}</span>').format(words)


CONTROLS: dict[str, Callable[[str, str, Names], Markup]] = {
    "@": _person,
    "#": _channel,
    "!date^": _date,
    "!subteam^": _group,
    "!": _group,
}
