"""How does a modal look in Slack? The parts that all of ours are made of, within Slack's limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    ExternalDataSelectElement,
    InputBlock,
    MarkdownTextObject,
    Option,
    OptionGroup,
    PlainTextInputElement,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.models.views import View

from portal.slack.messages.text import cut, escape

LONGEST_TITLE, LONGEST_OPTION, LONGEST_TEXT, MOST_OPTIONS = 24, 75, 3000, 100

Groups = Mapping[str, Mapping[str, str]]  # heading → value → what is shown


def modal(
    title: str, blocks: Sequence[Block], *, submit: str | None = None, close: str = "Cancel"
) -> dict[str, Any]:
    """A view for views.open and views.update. Whoever shows it adds callback_id and our token."""
    view = View(
        type="modal",
        title=plain(title, LONGEST_TITLE),
        submit=plain(submit, LONGEST_TITLE) if submit else None,
        close=plain(close, LONGEST_TITLE),
        blocks=list(blocks),
    )
    return dict(view.to_dict())


def notice(title: str, text: str) -> dict[str, Any]:
    """A sentence, and nothing left to do but to close it."""
    return modal(title, [section(escape(text, LONGEST_TEXT))], close="Close")


def section(markdown: str, **more: Any) -> Block:
    """`markdown` has to be escaped already."""
    return SectionBlock(text=mrkdwn(markdown), **more)


def context(*lines: str) -> Block:
    """Small print; each line has to be escaped already."""
    return ContextBlock(elements=[mrkdwn(line) for line in lines])


def text_input(
    name: str,
    label: str,
    *,
    initial: str = "",
    is_long: bool = False,
    is_optional: bool = False,
    longest: int = LONGEST_TEXT,
    hint: str | None = None,
) -> Block:
    """A field; `name` is its block_id, under which its value and its error are known."""
    element = PlainTextInputElement(
        action_id=name,
        initial_value=initial or None,
        multiline=is_long,
        max_length=min(longest, LONGEST_TEXT),
    )
    return _input(name, label, element, is_optional=is_optional, hint=hint)


def search(
    name: str,
    action_id: str,
    label: str,
    *,
    placeholder: str,
    is_optional: bool = False,
    hint: str | None = None,
) -> Block:
    """A select whose options /slack/options finds while somebody types: see suggestions.py."""
    element = ExternalDataSelectElement(
        action_id=action_id, placeholder=plain(placeholder, 150), min_query_length=0
    )
    return _input(name, label, element, is_optional=is_optional, hint=hint)


def options(groups: Groups) -> dict[str, Any]:
    """The answer to Slack while somebody types: at most 100 of all, headings with nothing left out."""
    left, found = MOST_OPTIONS, []
    for heading, named in groups.items():
        offered = list(named.items())[:left]
        left -= len(offered)
        if offered:
            each = [option(value, name) for value, name in offered]
            found.append(OptionGroup(label=plain(heading, LONGEST_OPTION), options=each))
    return {"option_groups": [group.to_dict() for group in found]} if found else {"options": []}


def option(value: str, name: str, description: str | None = None) -> Option:
    """Plain text is shown as it is: nothing in it is a mention, and “:fire:” stays one."""
    return Option(
        value=value,
        text=plain(name, LONGEST_OPTION),
        description=plain(description, LONGEST_OPTION) if description else None,
    )


def plain(text: str, limit: int) -> PlainTextObject:
    return PlainTextObject(text=cut(text, limit), emoji=False)


def mrkdwn(text: str) -> MarkdownTextObject:
    # verbatim: without it Slack would turn "@here" or "#general" in an alert into a live mention.
    return MarkdownTextObject(text=text, verbatim=True)


def _input(name: str, label: str, element: Any, *, is_optional: bool, hint: str | None) -> Block:
    return InputBlock(
        block_id=name,
        label=plain(label, 2000),
        element=element,
        optional=is_optional,
        hint=plain(hint, 2000) if hint else None,
    )
