"""How do many alerts look in one message? Counts, the ten that matter most, and what can be done.

product.md 11.3. The whole message stays below 3,000 characters, so that it can be read at a glance.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from portal.domain.alerts.models import Alert, AlertStatus, Priority
from portal.slack.messages.alert import COLOURS
from portal.slack.messages.text import escape, link

ACKNOWLEDGE_ALL, RESOLVE_ALL, LIST = "summary_acknowledge", "summary_resolve", "summary_list"
EVENT_TYPE = "tocsin_summary"
SHOWN, SOURCES_SHOWN = 10, 8
LONGEST_LINE, LONGEST_SOURCE = 90, 40


@dataclass(frozen=True)
class Group:
    """So many alerts of one source with this priority and status."""

    source: str
    priority: Priority
    status: AlertStatus
    number: int


@dataclass(frozen=True)
class Gathered:
    """What one summary stands for, as it is now."""

    summary_id: int
    place: str  # "#db", or whose direct messages
    groups: list[Group]
    newest: list[Alert]  # the pending ones that matter most, at most SHOWN

    def number(self, *statuses: AlertStatus) -> int:
        """How many alerts have one of the statuses; all of them when none is given."""
        return sum(g.number for g in self.groups if not statuses or g.status in statuses)


def summary_message(gathered: Gathered, alerts_url: str, version: int) -> dict[str, Any]:
    """The arguments of chat.postMessage and chat.update. `alerts_url` is the list's page."""
    rest = [
        *_sources(gathered),
        *_newest(gathered, alerts_url),
        *_buttons(gathered),
    ]
    title = link(alerts_url, plain_text(gathered), 300)
    blocks = [SectionBlock(text=_markdown(f"*{title}*")), *rest]
    for number, block in enumerate(blocks):
        block.block_id = f"summary-{gathered.summary_id}-{version}-{number}"
    first, *others = (block.to_dict() for block in blocks)
    text = escape(plain_text(gathered), 400)
    bar = {"color": COLOURS[_worst(gathered)], "blocks": others, "fallback": text}
    return {"text": text, "blocks": [first], "attachments": [bar]}


def plain_summary(gathered: Gathered, alerts_url: str) -> dict[str, Any]:
    """What is sent when Slack refuses the other one."""
    text = f"{escape(plain_text(gathered), 400)} {link(alerts_url, 'Open the list', 60)}"
    return {"text": text, "blocks": [], "attachments": []}


def plain_text(gathered: Gathered) -> str:
    """“37 new alerts in #db: 31 pending, 4 acknowledged, 2 resolved”, not escaped yet."""
    counts = {status: gathered.number(status) for status in AlertStatus}
    states = ", ".join(f"{number} {status}" for status, number in counts.items() if number)
    return f"{gathered.number()} new alerts in {gathered.place}: {states}"


def _worst(gathered: Gathered) -> AlertStatus:
    return next((s for s in AlertStatus if gathered.number(s)), AlertStatus.RESOLVED)


def _sources(gathered: Gathered) -> list[Block]:
    totals: Counter[str] = Counter()
    urgent: Counter[str] = Counter()
    for group in gathered.groups:
        totals[group.source] += group.number
        urgent[group.source] += group.number if group.priority is Priority.HIGH else 0
    lines = [
        f"{escape(source, LONGEST_SOURCE)}: {number} ({_priorities(number, urgent[source])})"
        for source, number in totals.most_common(SOURCES_SHOWN)
    ]
    if len(totals) > SOURCES_SHOWN:
        others = len(totals) - SOURCES_SHOWN
        lines.append(f"and {others} more {'source' if others == 1 else 'sources'}")
    return [ContextBlock(elements=[_markdown("\n".join(lines))])] if lines else []


def _priorities(number: int, urgent: int) -> str:
    if urgent in (0, number):
        return "high priority" if urgent else "low priority"
    return f"{urgent} high, {number - urgent} low priority"


def _newest(gathered: Gathered, alerts_url: str) -> list[Block]:
    if not gathered.newest:
        return []
    lines = [
        f"• {link(f'{alerts_url}/{alert.id}', alert.summary, LONGEST_LINE)}"
        f" – {escape(alert.source.name, LONGEST_SOURCE)}"
        f"{' (low priority)' if alert.priority is Priority.LOW else ''}"
        for alert in gathered.newest
    ]
    left = gathered.number(AlertStatus.PENDING) - len(lines)
    if left > 0:
        lines.append(f"and {left} more pending")
    return [SectionBlock(text=_markdown("\n".join(lines)))]


def _buttons(gathered: Gathered) -> list[Block]:
    """Only what is possible now."""
    value, buttons = str(gathered.summary_id), []
    pending = gathered.number(AlertStatus.PENDING)
    still_open = pending + gathered.number(AlertStatus.ACKNOWLEDGED)
    if pending:
        buttons.append(
            ButtonElement(text="Acknowledge all", action_id=ACKNOWLEDGE_ALL, value=value)
        )
    if still_open:
        sure = ConfirmObject(
            title="Resolve all of them?",
            text=PlainTextObject(
                text=f"{still_open} alerts will be resolved for good, as far as you may."
            ),
            confirm="Resolve all",
            deny="Cancel",
        )
        buttons.append(
            ButtonElement(
                text="Resolve all",
                action_id=RESOLVE_ALL,
                value=value,
                style="primary",
                confirm=sure,
            )
        )
    buttons.append(ButtonElement(text="Show list", action_id=LIST, value=value))
    return [ActionsBlock(elements=buttons)]


def _markdown(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)
