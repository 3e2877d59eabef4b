"""How do the modals about one alert look? Pure functions from its state to Slack's views."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    CheckboxesElement,
    ConfirmObject,
    InputBlock,
    StaticSelectElement,
)

from portal.domain.alerts.models import Alert, AlertStatus
from portal.domain.dedicated_channels import names
from portal.domain.escalation.outlook import Level
from portal.slack.dedicated_view import Offer, Shown
from portal.slack.messages.alert import state_line
from portal.slack.messages.modal import (
    MOST_OPTIONS,
    context,
    modal,
    option,
    plain,
    search,
    section,
    text_input,
)
from portal.slack.messages.text import cut, escape, link, units

LONGEST_SUMMARY = 500  # of the alert on top of a modal: what is asked for must stay in sight
LONGEST_BUTTON, LONGEST_LINE, LONGEST_LIST = 75, 300, 2900
MOST_ACTIONS = 50  # a modal holds 100 blocks
RUN = "alert_run"
CHOOSE_TARGET, CHOOSE_PERSON = "alert_choose_target", "alert_choose_person"
NOTHING_ESCALATES = "A person or a schedule is asked alone; nothing escalates after that."
UNCHANGED = "Status and escalation stay as they are."


class Verb(NamedTuple):
    """Something that can be done with the alert now, as an entry of its menu."""

    action_id: str
    words: str
    value: str = "0"
    asks: tuple[str, str, str] | None = None  # title, sentence, button of a confirmation


class Entry(NamedTuple):
    """A manual alert action of the menu."""

    id: int
    name: str
    by: str | None  # who has run it, so that nobody runs it again
    problem: str | None  # why the last try failed, in words


def top(alert: Alert, url: str, said: str = "") -> list[Block]:
    """The alert as it is now, and a sentence about what was pressed last."""
    title = link(url, f"[{alert.status.capitalize()}] {alert.summary}", LONGEST_SUMMARY)
    source, priority = escape(alert.source.name, 200), alert.priority.capitalize()
    return [
        *([section(escape(said, 1000))] if said else []),
        section(f"*{title}*\n{state_line(alert)}"),
        context(f"Source: {source}", f"Priority: {priority}"),
    ]


def more(
    alert: Alert,
    url: str,
    verbs: Sequence[Verb],
    said: str,
    channel: Shown | None,
    actions: Sequence[Entry],
) -> dict[str, Any]:
    """The menu: a button for each thing that is possible now."""
    blocks = top(alert, url, said)
    if channel is not None:
        blocks.append(context(_channel_line(channel)))
    blocks.append(ActionsBlock(elements=[_button(verb) for verb in verbs]))
    blocks += [_entry(action) for action in actions[:MOST_ACTIONS]]
    return modal(f"Alert {alert.id}", blocks, close="Close")


def comment(alert: Alert, url: str, said: str) -> dict[str, Any]:
    field = text_input("content", "Comment", is_long=True)
    return modal("Comment", [*top(alert, url, said), field], submit="Comment")


def escalate(
    alert: Alert, url: str, levels: Sequence[Level], reached: int, present: int, said: str
) -> dict[str, Any]:
    """Each level with those it comes to now; `reached` is the last that was asked, `present` the
    one where the policy stands."""
    options = [
        option(str(level.number), f"{_level(level, reached)}: {_names(level)}")
        for level in levels[:MOST_OPTIONS]
    ]
    following = options[min(present, len(options) - 1)]
    select = StaticSelectElement(action_id="level", options=options, initial_option=following)
    blocks = [
        *top(alert, url, said),
        section(_lines([_level_line(level, reached) for level in levels])),
        InputBlock(block_id="level", label=plain("Level", 100), element=select),
        context(f"The level is asked at once, and the policy goes on from there.{_again(alert)}"),
    ]
    return modal("Escalate", blocks, submit="Escalate")


def reroute(alert: Alert, url: str, said: str) -> dict[str, Any]:
    to = search("to", CHOOSE_TARGET, "To", placeholder="Search people, schedules and policies")
    note = f"Others are asked now instead of those before. {NOTHING_ESCALATES}{_again(alert)}"
    return modal("Reroute", [*top(alert, url, said), to, context(note)], submit="Reroute")


def add_responder(alert: Alert, url: str, said: str) -> dict[str, Any]:
    who = search("person", CHOOSE_PERSON, "Person", placeholder="Search people")
    blocks = [*top(alert, url, said), who, context(UNCHANGED)]
    return modal("Add responder", blocks, submit="Add responder")


def channel(alert: Alert, url: str, offer: Offer, said: str) -> dict[str, Any]:
    """What the channel would be called, and who would be invited."""
    blocks = top(alert, url, said)
    if offer.off is not None:
        return modal("Create channel", [*blocks, section(escape(offer.off, 1000))], close="Close")
    hint = "Lower case letters, digits, hyphens and underscores."
    blocks.append(text_input("name", "Name", initial=offer.name, longest=names.LONGEST, hint=hint))
    if offer.may_be_public and offer.may_be_private:
        private = CheckboxesElement(
            action_id="private", options=[option("private", "Make the channel private")]
        )
        blocks.append(
            InputBlock(
                block_id="private",
                label=plain("Who may see it", 100),
                element=private,
                optional=True,
            )
        )
    blocks += [context(line) for line in _invited(offer)]
    return modal("Create channel", blocks, submit="Create channel")


def channel_on_its_way(name: str) -> str:
    return (
        f"#{name} is on its way. Present and future responders and you are invited; the alert’s"
        " page says how far it is."
    )


def _entry(action: Entry) -> Block:
    name = escape(action.name, 200)
    if action.by is not None:
        return section(f"{name} (by {escape(action.by, 200)})")
    failed = f"\nIt did not succeed: {escape(action.problem, 500)}" if action.problem else ""
    words = "Run again" if action.problem else "Run action"
    button = ButtonElement(text=plain(words, 75), action_id=RUN, value=str(action.id))
    return section(f"{name}{failed}", accessory=button)


def _button(verb: Verb) -> ButtonElement:
    confirm = None
    if verb.asks is not None:
        title, sentence, button = verb.asks
        confirm = ConfirmObject(
            title=plain(title, 100),
            text=plain(sentence, 300),
            confirm=plain(button, 30),
            deny=plain("Cancel", 30),
        )
    return ButtonElement(
        text=plain(verb.words, LONGEST_BUTTON),
        action_id=verb.action_id,
        value=verb.value,
        confirm=confirm,
    )


def _channel_line(channel: Shown) -> str:
    name = f"#{channel.name}"
    place = link(channel.url, name, 200) if channel.url else escape(name, 200)
    return f"Channel: {place} {escape(channel.said, 500)}".strip()


def _invited(offer: Offer) -> list[str]:
    lines = ["Present and future responders are invited."]
    if not offer.may_be_public:
        lines.append("It will be private: public channels need the permission `channels:manage`.")
    elif not offer.may_be_private:
        lines.append("It will be public: private channels need `groups:write` and `groups:read`.")
    if offer.invited:
        lines.append(f"Now: {escape(', '.join(offer.invited), 1000)}")
    if offer.not_connected:
        lines.append(f"Not connected to Slack: {escape(', '.join(offer.not_connected), 1000)}")
    return lines


def _level(level: Level, reached: int) -> str:
    return f"Level {level.number}{' ✓' if level.number <= reached else ''}"


def _level_line(level: Level, reached: int) -> str:
    mark = " (reached)" if level.number <= reached else ""
    return f"*Level {level.number}*{mark}: {escape(_names(level), LONGEST_LINE)}"


def _names(level: Level) -> str:
    people = [turn.person.name for turn in level.turns if turn.person]
    return ", ".join(dict.fromkeys(people)) or "nobody on call"


def _lines(lines: Sequence[str]) -> str:
    """As many as a section holds."""
    shown: list[str] = []
    for line in lines:
        if sum(units(each) + 1 for each in shown) + units(line) > LONGEST_LIST:
            return "\n".join([*shown, "…"])
        shown.append(line)
    return "\n".join(shown) or cut("", 1)


def _again(alert: Alert) -> str:
    if alert.status is not AlertStatus.ACKNOWLEDGED:
        return ""
    return " It is pending again until somebody answers."
