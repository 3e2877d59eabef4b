"""How does the list behind a summary look? A page of alerts, each with what can be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, DividerBlock

from portal.domain.alerts.models import Alert, AlertStatus, Priority
from portal.slack.messages.alert import state_line
from portal.slack.messages.modal import context, modal, plain, section
from portal.slack.messages.text import escape, link

ACKNOWLEDGE, RESOLVE = "summary_one_acknowledge", "summary_one_resolve"
NEWER, OLDER = "summary_newer", "summary_older"
PAGE = 10  # alerts; a modal holds 100 blocks
LONGEST_LINE, LONGEST_SOURCE = 200, 100


@dataclass(frozen=True)
class Page:
    """What of the list is shown."""

    alerts: Sequence[Alert]
    number: int  # of alerts on all pages
    page: int  # 1, 2, …
    last: int
    may_respond: bool


def summary_list(shown: Page, alerts_url: str, said: str) -> dict[str, Any]:
    """`alerts_url` is the list's page in the portal."""
    blocks: list[Block] = [section(escape(said, 1000))] if said else []
    if not shown.alerts:
        blocks.append(section("None of these alerts is open any more."))
    for alert in shown.alerts:
        blocks += [_line(alert, alerts_url), *_buttons(alert, may_respond=shown.may_respond)]
    return modal("Alerts", [*blocks, *_pages(shown)], close="Close")


def _line(alert: Alert, alerts_url: str) -> Block:
    title = link(
        f"{alerts_url}/{alert.id}", f"[{alert.status.capitalize()}] {alert.summary}", LONGEST_LINE
    )
    low = " (low priority)" if alert.priority is Priority.LOW else ""
    source = escape(alert.source.name, LONGEST_SOURCE)
    return section(f"*{title}*\n{source}{low} · {state_line(alert)}")


def _buttons(alert: Alert, *, may_respond: bool) -> list[Block]:
    """Only what is possible now."""
    if not may_respond or not alert.is_open:
        return []
    value, buttons = str(alert.id), []
    if alert.status is AlertStatus.PENDING:
        buttons.append(ButtonElement(text="Acknowledge", action_id=ACKNOWLEDGE, value=value))
    buttons.append(ButtonElement(text="Resolve", action_id=RESOLVE, value=value, style="primary"))
    return [ActionsBlock(elements=buttons)]


def _pages(shown: Page) -> list[Block]:
    if shown.last == 1:
        return []
    turns = []
    if shown.page > 1:
        turns.append(ButtonElement(text=plain("‹ Back", 75), action_id=NEWER, value="0"))
    if shown.page < shown.last:
        turns.append(ButtonElement(text=plain("Next ›", 75), action_id=OLDER, value="0"))
    where = f"Page {shown.page} of {shown.last} · {shown.number} alerts"
    return [DividerBlock(), context(where), ActionsBlock(elements=turns)]
