"""How are an alert's updates told in a thread? Who did what, one line each.

Under a summary, which stands for many alerts, what one person did to several of them is one line.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from slack_sdk.models.blocks import MarkdownTextObject, SectionBlock

from portal.domain.alerts.models import Alert, TimelineEntry, TimelineKind
from portal.slack.messages.text import escape, link

EVENT_TYPE = "tocsin_thread_reply"
LONGEST = 2900  # Slack: 3,000 in a section
LONGEST_COMMENT = 2400
MOST_NAMED = 10  # alerts in one line under a summary


class Update(NamedTuple):
    """One line of a timeline, and the alert that it belongs to."""

    entry: TimelineEntry
    alert: Alert


def reply(updates: Sequence[Update], alerts_url: str, *, names_alerts: bool) -> dict[str, Any]:
    """The content of chat.postMessage. `names_alerts`: the thread belongs to more than one alert."""
    lines = _of_many(updates, alerts_url) if names_alerts else _of_one(updates, alerts_url)
    text = "\n".join(lines)
    if len(text) > LONGEST:
        text = f"{_whole_lines(lines)}\n{link(alerts_url, 'More on the page of alerts', 60)}"
    block = SectionBlock(text=MarkdownTextObject(text=text, verbatim=True))
    return {"text": text, "blocks": [block.to_dict()]}


def plain_reply(updates: Sequence[Update], alerts_url: str) -> dict[str, Any]:
    """What is sent when Slack refuses the other one."""
    number = len(updates)
    said = "An update" if number == 1 else f"{number} updates"
    url = f"{alerts_url}/{updates[0].alert.id}" if updates else alerts_url
    return {"text": f"{said} of the alert. {link(url, 'Open', 60)}"}


def _of_one(updates: Sequence[Update], alerts_url: str) -> list[str]:
    return [_line(each, alerts_url) for each in updates]


def _of_many(updates: Sequence[Update], alerts_url: str) -> list[str]:
    """What reads alike is told once, with the alerts it happened to."""
    alike: dict[str, list[Alert]] = {}
    for each in updates:
        alike.setdefault(_line(each, alerts_url), []).append(each.alert)
    lines = []
    for said, alerts in alike.items():
        named = [link(f"{alerts_url}/{a.id}", a.summary, 80) for a in alerts[:MOST_NAMED]]
        more = f" and {len(alerts) - MOST_NAMED} more" if len(alerts) > MOST_NAMED else ""
        lines.append(f"{said}\n> {', '.join(named)}{more}")
    return lines


def _line(update: Update, alerts_url: str) -> str:
    entry = update.entry
    said = SAID.get(entry.kind)
    words = said(entry.data or {}) if said else entry.kind.replace("_", " ")
    who = f"*{escape(entry.actor_name, 200)}* " if entry.kind not in IMPERSONAL else ""
    line = f"{who}{words}"
    if entry.kind is TimelineKind.COMMENT_ADDED:
        content = str((entry.data or {}).get("content") or "")
        shown = escape(content, LONGEST_COMMENT).replace("\n", "\n> ")
        rest = link(f"{alerts_url}/{update.alert.id}", "Show all", 60)
        line += f"\n> {shown}{f' {rest}' if len(content) > LONGEST_COMMENT - 200 else ''}"
    return line


def _whole_lines(lines: Sequence[str]) -> str:
    kept, length = [], 100
    for line in lines:
        length += len(line) + 1
        if length > LONGEST:
            break
        kept.append(line)
    return "\n".join(kept)


def _escalated(data: dict[str, Any]) -> str:
    targets = data.get("targets") or []
    asked = ", ".join(escape(str(each), 100) for each in targets[:10])
    more = f" and {len(targets) - 10} more" if len(targets) > 10 else ""
    return f"asks {asked}{more} at level {data.get('level')}"


def _duration(seconds: object) -> str:
    number = seconds if isinstance(seconds, int) else 0
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if number >= size and number % size == 0:
            return f"{number // size} {unit}"
    return f"{number} s"


def _text(data: dict[str, Any], name: str) -> str:
    return escape(str(data.get(name) or "somebody"), 200)


SAID: dict[TimelineKind, Callable[[dict[str, Any]], str]] = {
    TimelineKind.ACKNOWLEDGED: lambda data: "acknowledged",
    TimelineKind.RESOLVED: lambda data: "resolved",
    TimelineKind.COMMENT_ADDED: lambda data: "commented:",
    TimelineKind.PRIORITY_RAISED: lambda data: "raised the priority",
    TimelineKind.ESCALATED: _escalated,
    TimelineKind.REROUTED: lambda data: f"rerouted to {_text(data, 'to')}",
    TimelineKind.RESPONDER_ADDED: lambda data: f"asked {_text(data, 'person')} too",
    TimelineKind.RESPONDER_REMOVED: lambda data: f"no longer asks {_text(data, 'person')}",
    TimelineKind.CHANNEL_ATTACHED: lambda data: f"created #{_text(data, 'name')} for this alert",
    TimelineKind.CHANNEL_DETACHED: lambda data: f"detached #{_text(data, 'name')}",
    TimelineKind.ESCALATION_ENDED: lambda data: "is at its end: nobody else will be asked",
    TimelineKind.NOT_RESOLVED: lambda data: f"Not resolved within {_duration(data.get('seconds'))}",
}
IMPERSONAL = {TimelineKind.NOT_RESOLVED}
