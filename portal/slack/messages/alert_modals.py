"""How do the modals about one alert look? Pure functions from its state to Slack's views."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement

from portal.domain.alerts.models import Alert
from portal.slack.messages.alert import state_line
from portal.slack.messages.modal import context, modal, plain, section, text_input
from portal.slack.messages.text import escape, link

LONGEST_SUMMARY = 500  # of the alert on top of a modal: what is asked for must stay in sight
LONGEST_BUTTON = 75


class Verb(NamedTuple):
    """Something that can be done with the alert now, as an entry of its menu."""

    action_id: str
    words: str
    value: str = "0"
    is_done: bool = False  # said, but not pressed again


def top(alert: Alert, url: str, said: str = "") -> list[Block]:
    """The alert as it is now, and a sentence about what was pressed last."""
    title = link(url, f"[{alert.status.capitalize()}] {alert.summary}", LONGEST_SUMMARY)
    source = escape(alert.source.name, 200)
    priority = alert.priority.capitalize()
    return [
        *([section(f"⚠️ {escape(said, 1000)}")] if said else []),
        section(f"*{title}*\n{state_line(alert)}"),
        context(f"Source: {source}", f"Priority: {priority}"),
    ]


def more(alert: Alert, url: str, verbs: Sequence[Verb], said: str = "") -> dict[str, Any]:
    """The menu: a button for each thing that is possible now."""
    buttons = [
        ButtonElement(
            text=plain(verb.words, LONGEST_BUTTON), action_id=verb.action_id, value=verb.value
        )
        for verb in verbs
    ]
    blocks = [*top(alert, url, said), *([ActionsBlock(elements=buttons)] if buttons else [])]
    return modal(f"Alert {alert.id}", blocks, close="Close")


def comment(alert: Alert, url: str, said: str = "") -> dict[str, Any]:
    field = text_input("content", "Comment", is_long=True)
    return modal("Comment", [*top(alert, url, said), field], submit="Comment")
