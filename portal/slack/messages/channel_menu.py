"""How does the menu of a channel's alert sources look? Pure functions from state to Block Kit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    DividerBlock,
    ExternalDataSelectElement,
    MarkdownTextObject,
    Option,
    PlainTextObject,
    SectionBlock,
)

from portal.domain.sources.models import TYPES, AlertSource
from portal.slack.messages.text import cut, escape, link

ADD, REMOVE = "channel_source_add", "channel_source_remove"
MOST_LISTED = 30  # a message holds 50 blocks, and about 12,000 characters
MOST_OPTIONS, LONGEST_OPTION = 100, 75


@dataclass(frozen=True)
class Menu:
    """What one person may see of a channel's alert sources just now."""

    channel_name: str
    is_shared: bool  # with another company
    sources: Sequence[AlertSource]
    portal: str  # the portal's address
    version: str
    news: str = ""  # what has just happened, as Slack's markup


def message(menu: Menu) -> dict[str, Any]:
    """The menu; `text` says the same to those who hear it."""
    number = len(menu.sources)
    count = f"{number} alert source{'' if number == 1 else 's'} configured for this channel"
    blocks: list[Block] = [
        SectionBlock(text=_markdown(_head(menu))),
        SectionBlock(text=_markdown(f"*{count}*")),
    ]
    blocks += [_source(source, menu) for source in menu.sources[:MOST_LISTED]]
    if number > MOST_LISTED:
        more = link(f"{menu.portal}/alert-actions", f"{number - MOST_LISTED} more", 60)
        blocks.append(SectionBlock(text=_markdown(f"… and {more}, to be changed on the web.")))
    blocks += [DividerBlock(), ActionsBlock(elements=[_select(menu)]), _foot(menu)]
    text = f"{menu.news or 'Alert sources of this channel'}: {count}"
    return {"text": text, "blocks": [block.to_dict() for block in blocks]}


def named(source: AlertSource) -> str:
    """How a source is called in lines and lists: `[7] Prometheus`; not escaped."""
    return f"[{source.id}] {source.name}"


def linked(source: AlertSource, portal: str) -> str:
    return link(f"{portal}/alert-sources/{source.id}", named(source), 150)


def options(sources: Sequence[AlertSource]) -> dict[str, Any]:
    """The answer to Slack while somebody types."""
    found = [
        # Plain text is shown as it is: nothing in it is a mention, and “:fire:” stays one.
        Option(
            value=str(source.id),
            text=PlainTextObject(text=cut(named(source), LONGEST_OPTION), emoji=False),
        )
        for source in sources[:MOST_OPTIONS]
    ]
    return {"options": [option.to_dict() for option in found]}


def _head(menu: Menu) -> str:
    what = (
        f"Alerts of these sources appear in *#{escape(menu.channel_name, 100)}*."
        " Only you see this menu; each change is told to the channel."
    )
    return f"{menu.news}\n{what}" if menu.news else what


def _source(source: AlertSource, menu: Menu) -> Block:
    remove = ButtonElement(
        text="Remove",
        action_id=REMOVE,
        value=str(source.id),
        style="danger",
        accessibility_label=cut(f"Remove {source.name}", LONGEST_OPTION),
    )
    kind = escape(TYPES.get(source.type, source.type), 60)
    text = f"*{linked(source, menu.portal)}*\nType: {kind}"
    return SectionBlock(text=_markdown(text), accessory=remove)


def _select(menu: Menu) -> ExternalDataSelectElement:
    confirm = ConfirmObject(
        title="Show its alerts to another company?",
        text=PlainTextObject(
            text="This channel is shared with another company, whose people will read them."
        ),
        confirm="Add",
        deny="Cancel",
    )
    return ExternalDataSelectElement(
        action_id=ADD,
        placeholder="Add an alert source",
        min_query_length=0,
        confirm=confirm if menu.is_shared else None,
    )


def _foot(menu: Menu) -> Block:
    return ContextBlock(elements=[_markdown(f"Tocsin {escape(menu.version, 40)}")])


def _markdown(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)
