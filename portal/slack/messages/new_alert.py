"""How do the modals look in which an alert is created, and what is said of it? Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ExternalDataSelectElement,
    InputBlock,
    RadioButtonsElement,
    SectionBlock,
)

from portal.slack.messages.modal import LONGEST_TEXT, modal, mrkdwn, option, plain, text_input
from portal.slack.messages.text import cut, escape, link, units

ALERT_TITLE = "Alert on-call engineers"  # anybody, in a channel that is set up
TEAM_TITLE = "Alert on-call team"  # people with an account
SOURCE, POLICY, ADVANCED = "new_alert_source", "new_alert_policy", "new_alert_advanced"
LONGEST_SUMMARY = 250
NO_POLICY = "This source asks nobody by itself. Choose a policy, or nobody is asked."

Named = tuple[int, str]  # the id of a source or a policy, and what it is called here


@dataclass(frozen=True)
class Typed:
    """What stands in the fields when the modal opens."""

    summary: str = ""
    details: str = ""


def of_team(typed: Typed, source: Named | None, policy: Named | None) -> dict[str, Any]:
    """Any source and policy; a chosen source has filled in its policy.

    The policy's field has a name of its own for each source, since Slack keeps what stands in a
    field of the same name.
    """
    chosen = source[0] if source else 0
    blocks: list[Block] = [
        InputBlock(
            block_id="source_id",
            label=plain("Alert source", 100),
            element=_search(SOURCE, "Search alert sources", source),
            dispatch_action=True,
        ),
        InputBlock(
            block_id=f"policy_id-{chosen}-{policy[0] if policy else 0}",
            label=plain("Escalation policy", 100),
            element=_search(POLICY, "The source’s own", policy),
            hint=plain(NO_POLICY, 200) if source and not policy else None,
            optional=True,
        ),
        *_texts(typed),
    ]
    return modal(TEAM_TITLE, blocks, submit="Submit", close="Close")


def of_channel(
    typed: Typed, label: str, policies: Sequence[Named], *, has_advanced: bool
) -> dict[str, Any]:
    """The policies that the channel offers, under their display names and in their order."""
    radios = RadioButtonsElement(
        action_id=POLICY, options=[option(str(id), name) for id, name in policies]
    )
    blocks: list[Block] = [
        InputBlock(block_id="policy_id", label=plain(label, 200), element=radios),
        *_texts(typed),
    ]
    if has_advanced:
        button = ButtonElement(text="Advanced settings", action_id=ADVANCED, value="0")
        blocks.append(ActionsBlock(elements=[button]))
    return modal(ALERT_TITLE, blocks, submit="Submit", close="Close")


def told(slack_user_id: str, summary: str, url: str, asked: str) -> dict[str, Any]:
    """One line: who opened which alert, and whom that asks. `asked` is not escaped yet."""
    whom = f"It asks *{escape(asked, 150)}*." if asked else "It asks nobody by itself."
    line = f"🚨 <@{slack_user_id}> opened {link(url, summary, 600)}. {whom}"
    # In a block, because there Slack makes no mention or link of what somebody typed.
    return {"text": line, "blocks": [SectionBlock(text=mrkdwn(line)).to_dict()]}


def prefilled(text: str, origin: str = "") -> Typed:
    """What a text becomes in the two fields, so that nothing of it is lost.

    `origin` is where it comes from: it ends the details, however long the text is.
    """
    line = " ".join(text.split())
    is_whole = len(line) <= LONGEST_SUMMARY
    summary = line if is_whole else line[: LONGEST_SUMMARY - 1] + "…"
    if not origin:
        return Typed(summary, "" if is_whole else cut(text, LONGEST_TEXT))
    room = LONGEST_TEXT - units(origin) - 2
    return Typed(summary, f"{cut(text, room)}\n\n{origin}" if text else origin)


def _texts(typed: Typed) -> list[Block]:
    return [
        text_input("summary", "Alert summary", initial=typed.summary),
        text_input(
            "details", "Alert details", initial=typed.details, is_long=True, is_optional=True
        ),
    ]


def _search(action_id: str, placeholder: str, chosen: Named | None) -> ExternalDataSelectElement:
    return ExternalDataSelectElement(
        action_id=action_id,
        placeholder=plain(placeholder, 150),
        min_query_length=0,
        initial_option=option(str(chosen[0]), chosen[1]) if chosen else None,
    )
