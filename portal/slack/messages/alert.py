"""How does an alert look in Slack? The same alert always gives the same message."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    MarkdownTextObject,
    SectionBlock,
)

from portal.domain.alerts.models import Alert, AlertStatus, Priority
from portal.slack.messages.text import code, escape, link, moment, units

ACKNOWLEDGE, RESOLVE, MORE = "alert_acknowledge", "alert_resolve", "alert_more"
EVENT_TYPE = "tocsin_alert"
COLOURS = {
    AlertStatus.PENDING: "#d92d20",
    AlertStatus.ACKNOWLEDGED: "#dc8a00",
    AlertStatus.RESOLVED: "#2e9d4f",
}
# Well below Slack's limits (a section 3,000; all blocks about 12,000, observed, undocumented).
LONGEST_DETAILS = 2500
LONGEST_LINKS = 5
MOST_ASKED = 15


class Asked(NamedTuple):
    """Somebody who was asked to act. Who has no `slack_user_id` is named, not mentioned."""

    name: str
    slack_user_id: str | None
    has_acknowledged: bool


def alert_message(
    alert: Alert, url: str, version: int, *, asked: Sequence[Asked] = (), is_brief: bool = False
) -> dict[str, Any]:
    """The arguments of chat.postMessage and chat.update for the alert's present state.

    `url` is the alert's page, `version` makes the block ids new, as Slack asks for in updates.
    A mention in an edited message notifies nobody, so those asked are mentioned. A brief message leaves out details and links: for when Slack finds the other one too long.
    """
    blocks = [
        _title(alert, url),
        SectionBlock(text=_markdown(state_line(alert))),
        *_asked(asked),
        _fields(alert),
        *([] if is_brief else [*_details(alert, url), *_links(alert)]),
        *_buttons(alert),
    ]
    for number, block in enumerate(blocks):
        block.block_id = f"{alert.id}-{version}-{number}"
    title, *rest = (block.to_dict() for block in blocks)
    # Only an attachment has a coloured bar, and only with top-level blocks is `text` a fallback.
    bar = {"color": COLOURS[alert.status], "blocks": rest, "fallback": plain_text(alert)}
    return {"text": plain_text(alert), "blocks": [title], "attachments": [bar]}


def plain_message(alert: Alert, url: str) -> dict[str, Any]:
    """What is sent when Slack refuses the other one: short, and still with the way to the alert."""
    text = f"{plain_text(alert)} {link(url, 'Open', 60)}"
    return {"text": text, "blocks": [], "attachments": []}


def plain_text(alert: Alert) -> str:
    """All that a notification or a screen reader needs."""
    priority = " (low priority)" if alert.priority is Priority.LOW else ""
    return (
        f"[{alert.status.capitalize()}] {escape(alert.summary, 1500)}{priority}"
        f" – {escape(alert.source.name, 300)}"
    )


def _title(alert: Alert, url: str) -> Block:
    title = link(url, f"[{alert.status.capitalize()}] {alert.summary}", 1500)
    return SectionBlock(text=_markdown(f"*{title}*"))


def state_line(alert: Alert) -> str:
    """Who has it or who ended it, and since when."""
    if alert.status is AlertStatus.RESOLVED:
        return f"Resolved by *{_name(alert.resolver)}*{_when(alert.resolved_at)}"
    if alert.status is AlertStatus.ACKNOWLEDGED:
        return f"*{_name(alert.acknowledger)}* has it, since{_when(alert.acknowledged_at)}"
    return "Nobody has taken it yet"


def _asked(asked: Sequence[Asked]) -> list[Block]:
    if not asked:
        return []
    names = [
        (f"<@{each.slack_user_id}>" if each.slack_user_id else escape(each.name, 100))
        + (" ✓" if each.has_acknowledged else "")
        for each in asked[:MOST_ASKED]
    ]
    more = f" and {len(asked) - MOST_ASKED} more" if len(asked) > MOST_ASKED else ""
    return [ContextBlock(elements=[_markdown(f"Asked: {', '.join(names)}{more}")])]


def _fields(alert: Alert) -> Block:
    priority = alert.priority.capitalize() + (f", SEV{alert.severity}" if alert.severity else "")
    parts = [
        f"Source: {escape(alert.source.name, 300)}",
        f"Priority: {priority}",
        f"Opened:{_when(alert.created_at)}",
    ]
    if alert.event_count > 1:
        parts.append(f"Events: {alert.event_count}")
    return ContextBlock(elements=[_markdown(part) for part in parts])


def _details(alert: Alert, url: str) -> list[Block]:
    if not alert.details.strip():
        return []
    blocks: list[Block] = [SectionBlock(text=_markdown(code(alert.details, LONGEST_DETAILS)))]
    if len(alert.details) > LONGEST_DETAILS - 100:
        blocks.append(ContextBlock(elements=[_markdown(link(url, "All details", 60))]))
    return blocks


def _links(alert: Alert) -> list[Block]:
    links = [
        link(each.get("href", ""), each.get("text") or each.get("href", ""), 150)
        for each in alert.links[:LONGEST_LINKS]
    ]
    # As sent: percent-encoding makes an address up to nine times as long.
    links = [each for each in links if units(each) <= 3000 // LONGEST_LINKS - 1]
    return [SectionBlock(text=_markdown("\n".join(links)))] if links else []


def _buttons(alert: Alert) -> list[Block]:
    """Only what is possible now."""
    value = str(alert.id)
    buttons = []
    if alert.status is AlertStatus.PENDING:
        buttons.append(ButtonElement(text="Acknowledge", action_id=ACKNOWLEDGE, value=value))
    if alert.is_open:
        resolve = ButtonElement(text="Resolve", action_id=RESOLVE, value=value, style="primary")
        buttons += [resolve, ButtonElement(text="More…", action_id=MORE, value=value)]
    return [ActionsBlock(elements=buttons)] if buttons else []


def _markdown(text: str) -> MarkdownTextObject:
    # verbatim: without it Slack would turn "@here" or "#general" in an alert into a live mention.
    return MarkdownTextObject(text=text, verbatim=True)


def _name(name: str | None) -> str:
    return escape(name or "somebody", 200)


def _when(at: datetime | None) -> str:
    return f" {moment(int(at.timestamp()), at.strftime('%Y-%m-%d %H:%M UTC'))}" if at else ""
