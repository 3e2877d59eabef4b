"""How does the app's Home look in Slack? Pure functions from state to a view (slack.md 5.1: 100 blocks)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    DividerBlock,
    ExternalDataSelectElement,
    HeaderBlock,
)

from portal.domain.alerts.models import Alert, AlertStatus
from portal.domain.escalation.outlook import Level
from portal.slack.messages.alert import ACKNOWLEDGE, RESOLVE
from portal.slack.messages.modal import context, section
from portal.slack.messages.oncall import CHOOSE
from portal.slack.messages.text import escape, link, moment
from portal.slack.messages.text import plain as harmless

CREATE = "home_create"
HOW_TO_CONNECT = (
    "Have an account? Press *Connect*, sign in and confirm that this is you. Have none? Ask an admin"
    " to invite you with the e-mail address of your Slack profile: then you are known by itself."
)
# Far below the 100 blocks of a Home: three for each alert, one for each list.
MOST_ALERTS, MOST_SHIFTS, MOST_POLICIES = 10, 5, 15
LONGEST_NAME, LONGEST_SUMMARY = 80, 200


@dataclass(frozen=True)
class Shown:
    """An alert, and its page."""

    alert: Alert
    url: str


@dataclass(frozen=True)
class MyShift:
    schedule: str
    url: str
    starts_at: datetime
    ends_at: datetime
    is_now: bool


@dataclass(frozen=True)
class Policy:
    """A policy, and what its levels come to now."""

    name: str
    url: str
    levels: Sequence[Level]


@dataclass(frozen=True)
class Overview:
    """What a person's Home shows."""

    portal_url: str
    at: datetime
    alerts: Sequence[Shown] = ()
    more_alerts: int = 0
    others_open: int = 0  # alerts that are nobody's business of theirs, but open
    shifts: Sequence[MyShift] = ()
    policies: Sequence[Policy] = ()
    more_policies: int = 0
    slack_ids: Mapping[int, str] = field(default_factory=dict)
    answer: Sequence[dict[str, Any]] = ()  # blocks: who is on call for what was chosen last


def overview(of: Overview) -> dict[str, Any]:
    """For a person whom we know."""
    create = ButtonElement(text="Create an alert", action_id=CREATE, value="0", style="primary")
    search = ExternalDataSelectElement(
        action_id=CHOOSE, placeholder="Who is on call for …", min_query_length=0
    )
    blocks: list[Block] = [
        ActionsBlock(block_id="home-shortcuts", elements=[create, search]),
    ]
    shown = [*_dicts(blocks), *_answer(of)]
    rest: list[Block] = [
        HeaderBlock(text="Your open alerts"),
        *_alerts(of),
        DividerBlock(),
        HeaderBlock(text="Your shifts"),
        section(_shifts(of)),
        DividerBlock(),
        HeaderBlock(text="On call now"),
        section(_policies(of)),
        context(
            f"As of {_moment(of.at)}. Open Home again for the present state."
            f" {link(of.portal_url, 'Open Tocsin', 60)}"
        ),
    ]
    return _view([*shown, *_dicts(rest)])


def without_alerts(name: str, portal_url: str) -> dict[str, Any]:
    """For a person whose role shows no alerts."""
    said = (
        f"You are connected as *{escape(harmless(name), LONGEST_NAME)}*. Your role shows no alerts"
        f" and nobody on call; an admin can give you another. {link(portal_url, 'Open Tocsin', 60)}"
    )
    return _view(_dicts([section(said)]))


def connect(team_name: str, offer: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """For somebody whom we do not know: how to get started. `offer` are the blocks that let them."""
    said = (
        "Here you will see the alerts that are yours, your shifts and who is on call. Alerts in"
        " channels can be read by everybody; to answer them you need an account."
    )
    start = [HeaderBlock(text="Welcome to Tocsin"), section(said)]
    if not offer:
        only = f"Only members of {escape(team_name, LONGEST_NAME)} can use it here."
        return _view(_dicts([HeaderBlock(text="Welcome to Tocsin"), section(only)]))
    help_ = context("Who is on call: `/il-oncall`. A new alert: `/il-alert`, where it is set up.")
    return _view([*_dicts(start), *offer, *_dicts([help_])])


def _alerts(of: Overview) -> list[Block]:
    if not of.alerts:
        others = f" {of.others_open} of others are open." if of.others_open else ""
        return [section(f"Nothing waits for you.{others} {_all_alerts(of)}")]
    blocks: list[Block] = []
    for shown in of.alerts:
        alert = shown.alert
        label = f"[{alert.status.capitalize()}] {harmless(alert.summary)}"
        facts = [
            escape(harmless(alert.source.name), LONGEST_NAME),
            f"{alert.priority.capitalize()} priority",
            f"since {_moment(alert.created_at)}",
        ]
        if alert.acknowledger:
            facts.append(f"{escape(harmless(alert.acknowledger), LONGEST_NAME)} has it")
        title = link(shown.url, label, LONGEST_SUMMARY)
        blocks += [
            section(f"*{title}*\n{' · '.join(facts)}"),
            ActionsBlock(block_id=f"home-{alert.id}", elements=_buttons(alert)),
        ]
    if of.more_alerts:
        blocks.append(context(f"And {of.more_alerts} more. {_all_alerts(of)}"))
    return blocks


def _buttons(alert: Alert) -> list[ButtonElement]:
    value = str(alert.id)
    buttons = []
    if alert.status is AlertStatus.PENDING:
        buttons.append(ButtonElement(text="Acknowledge", action_id=ACKNOWLEDGE, value=value))
    buttons.append(ButtonElement(text="Resolve", action_id=RESOLVE, value=value, style="primary"))
    return buttons


def _shifts(of: Overview) -> str:
    if not of.shifts:
        return "None within the next four weeks."
    lines = []
    for shift in of.shifts:
        name = link(shift.url, harmless(shift.schedule), LONGEST_NAME)
        until = _moment(shift.ends_at)
        when = f"*now*, until {until}" if shift.is_now else f"{_moment(shift.starts_at)} – {until}"
        lines.append(f"• {name}: {when}")
    return "\n".join([*lines, link(f"{of.portal_url}/schedules/my-shifts", "All my shifts", 60)])


def _policies(of: Overview) -> str:
    if not of.policies:
        return "There is no escalation policy yet."
    lines = [
        f"• {link(each.url, harmless(each.name), LONGEST_NAME)}: {_first(each, of)}"
        for each in of.policies
    ]
    more = f"And {of.more_policies} more. " if of.more_policies else ""
    return "\n".join([*lines, more + link(f"{of.portal_url}/on-call", "Everybody on call", 60)])


def _first(policy: Policy, of: Overview) -> str:
    """Who would be asked first now."""
    for level in policy.levels:
        people = [turn.person for turn in level.turns if turn.person is not None]
        if people:
            names = [
                f"<@{of.slack_ids[each.id]}>"
                if each.id in of.slack_ids
                else escape(harmless(each.name), LONGEST_NAME)
                for each in people[:3]
            ]
            return ", ".join(names) + (f" and {len(people) - 3} more" if len(people) > 3 else "")
    return "nobody: an alert now would reach nobody"


def _answer(of: Overview) -> list[dict[str, Any]]:
    """What was looked up, without the buttons that only a message has."""
    return [dict(block) for block in of.answer if block.get("type") != "actions"]


def _all_alerts(of: Overview) -> str:
    return link(f"{of.portal_url}/alerts", "All alerts", 60)


def _moment(at: datetime) -> str:
    return moment(int(at.timestamp()), at.strftime("%Y-%m-%d %H:%M UTC"))


def _view(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "home", "blocks": list(blocks)}


def _dicts(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    return [block.to_dict() for block in blocks]
