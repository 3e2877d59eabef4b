"""How does the answer to “who is on call?” look in Slack? Pure functions from state to Block Kit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    ExternalDataSelectElement,
    MarkdownTextObject,
    Option,
    OptionGroup,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)

from portal.domain.accounts.models import User
from portal.domain.escalation.outlook import Level, Turn
from portal.slack.messages.text import cut, escape, link, plain

CHOOSE, CHANGE, CANCEL = "oncall_choose", "oncall_change", "oncall_cancel"
MOST_OPTIONS = 100  # of a select, whether grouped or not
LONGEST_OPTION = 75
LONGEST_NAME = 150
# A section holds 3,000 characters, all blocks of a message about 12,000 (slack.md 5.1).
LONGEST_SECTION, LONGEST_MESSAGE = 2800, 9000


@dataclass(frozen=True)
class Chart:
    """A policy under the name it has here, and who its levels come to now."""

    name: str
    url: str
    levels: list[Level]
    by: str = ""  # for an alert source: its policy, as a link


@dataclass(frozen=True)
class Reader:
    """Who reads the answer, and what of it they may see."""

    time_zone: str = ""  # an IANA name; empty: Slack shows each time in the reader's own zone
    sees_phones: bool = False
    may_search: bool = False  # policies and sources of their own choice
    note: str = ""  # a sentence below the answer


@dataclass(frozen=True)
class Offered:
    """What can be chosen: a value as our selects carry it → its name, by kind."""

    policies: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return len(self.policies) + len(self.sources)


def answer(
    charts: Sequence[Chart], reader: Reader, slack_ids: Mapping[int, str], at: datetime
) -> dict[str, Any]:
    """Who is on call for these policies, as a message. `slack_ids` has those who are mapped."""
    limit = min(LONGEST_SECTION, LONGEST_MESSAGE // max(1, len(charts)))
    sections = [_section(chart, reader, slack_ids, at, limit, len(charts)) for chart in charts]
    blocks: list[Block] = [
        *([SectionBlock(text=_markdown("📟 *Who is on call*"))] if len(charts) > 1 else []),
        *sections,
        ContextBlock(elements=[_markdown(_times(reader))]),
    ]
    if reader.note:
        blocks.append(ContextBlock(elements=[_markdown(reader.note)]))
    if reader.may_search:
        change = ButtonElement(text="Change policy or source", action_id=CHANGE, value="0")
        blocks.append(ActionsBlock(elements=[change]))
    return _message("; ".join(_plain(chart) for chart in charts), blocks)


def prompt(problem: str = "") -> dict[str, Any]:
    """One search field, and a way out. `problem` is a sentence above it, not escaped yet."""
    search = ExternalDataSelectElement(
        action_id=CHOOSE, placeholder="Search policies and sources", min_query_length=0
    )
    said = "📟 *Who is on call?* Choose an escalation policy or an alert source."
    text = f"{escape(problem, 500)}\n{said}" if problem else said
    blocks = [SectionBlock(text=_markdown(text)), _with_cancel(search)]
    plain = escape(problem, 500) if problem else "Who is on call? Choose a policy or a source."
    return _message(plain, blocks)


def several(typed: str, found: Offered) -> dict[str, Any]:
    """More than one fits what was typed after the command."""
    select = StaticSelectElement(
        action_id=CHOOSE, placeholder="Choose one", option_groups=_groups(found)
    )
    text = f"{found.number} fit “{escape(typed, 100)}”. Which one?"
    return _message(text, [SectionBlock(text=_markdown(text)), _with_cancel(select)])


def options(found: Offered) -> dict[str, Any]:
    """The answer to Slack while somebody types: at most MOST_OPTIONS, grouped by kind."""
    return (
        {"option_groups": [group.to_dict() for group in _groups(found)]}
        if found.number
        else {"options": []}
    )


def when(at: datetime, time_zone: str, today: datetime) -> str:
    """“3:00 PM Friday, August 18th”, with the year unless it is the present one.

    Where the reader's zone is unknown Slack writes it, for each reader in their own.
    """
    if not time_zone:
        fallback = f"{at:%-I:%M %p %A, %B %-d, %Y} UTC"
        return f"<!date^{int(at.timestamp())}^{{time}} {{date_long}}|{fallback}>"
    local, present = at.astimezone(ZoneInfo(time_zone)), today.astimezone(ZoneInfo(time_zone))
    year = "" if local.year == present.year else f", {local.year}"
    return f"{local:%-I:%M %p %A, %B} {_ordinal(local.day)}{year}"


def _section(
    chart: Chart,
    reader: Reader,
    slack_ids: Mapping[int, str],
    at: datetime,
    limit: int,
    number: int,
) -> Block:
    name = link(chart.url, plain(chart.name), LONGEST_NAME)
    title = f"*{name}*" if number > 1 else f"📟 *On call for {name}*"
    lines = [title + (f", by {chart.by}" if chart.by else "")]
    left_out = f"… and more: {link(chart.url, 'see all', 60)}"
    for line in _lines(chart, reader, slack_ids, at):
        if sum(len(each) + 1 for each in lines) + len(line) + len(left_out) > limit:
            lines.append(left_out)
            break
        lines.append(line)
    return SectionBlock(text=_markdown("\n".join(lines)))


def _lines(chart: Chart, reader: Reader, slack_ids: Mapping[int, str], at: datetime) -> list[str]:
    if all(level.is_empty for level in chart.levels):
        turns = [turn for level in chart.levels for turn in level.turns]
        name = escape(plain(chart.name), LONGEST_NAME)
        nobody = f"Nobody is on call for *{name}*: an alert now would"
        return [f"{nobody} reach nobody.{_next(turns, reader, at)}"]
    lines = []
    for level in chart.levels:
        if level.is_empty:
            lines.append(
                f"Nobody is on call at level {level.number}.{_next(level.turns, reader, at)}"
            )
            continue
        if len(chart.levels) > 1:
            lines.append(f"Level {level.number}")
        lines += [
            f"• {_person(turn.person, reader, slack_ids)} ({_until(turn, reader, at)})"
            for turn in level.turns
            if turn.person is not None
        ]
    return lines


def _person(person: User, reader: Reader, slack_ids: Mapping[int, str]) -> str:
    known = slack_ids.get(person.id)
    name = f"<@{known}>" if known else f"*{escape(plain(person.name), LONGEST_NAME)}*"
    return f"{name} 📞 {escape(person.phone, 40)}" if reader.sees_phones and person.phone else name


def _until(turn: Turn, reader: Reader, at: datetime) -> str:
    if turn.schedule is None:
        return "always on-call"
    return f"Until {when(turn.until, reader.time_zone, at)}" if turn.until else "no end in sight"


def _next(turns: Sequence[Turn], reader: Reader, at: datetime) -> str:
    coming = [(turn.next_at, turn.next_person) for turn in turns if turn.next_at]
    if not coming:
        return ""
    next_at, person = min(coming, key=lambda one: one[0])
    name = escape(person.name, LONGEST_NAME) if person else "somebody"
    return f" Next: {name} from {when(next_at, reader.time_zone, at)}."


def _times(reader: Reader) -> str:
    if reader.time_zone:
        return f"🕗 Times are in {reader.time_zone.replace('_', ' ')}"
    return "🕗 Times are in your own time zone"


def _plain(chart: Chart) -> str:
    """All that a screen reader needs: the names, level by level."""
    name = escape(chart.name, LONGEST_NAME)
    people = [turn.person.name for level in chart.levels for turn in level.turns if turn.person]
    if not people:
        return f"Nobody is on call for {name}"
    return f"On call for {name}: {escape(', '.join(dict.fromkeys(people)), 120)}"


def _groups(found: Offered) -> list[OptionGroup]:
    half = MOST_OPTIONS // 2
    policies = list(found.policies.items())[: max(half, MOST_OPTIONS - len(found.sources))]
    sources = list(found.sources.items())[: MOST_OPTIONS - len(policies)]
    groups = {"Escalation policies": policies, "Alert sources": sources}
    return [
        OptionGroup(label=label, options=[_option(*each) for each in choices])
        for label, choices in groups.items()
        if choices
    ]


def _option(value: str, name: str) -> Option:
    # Plain text is shown as it is: nothing in it is a mention, and “:fire:” stays one.
    return Option(value=value, text=PlainTextObject(text=cut(name, LONGEST_OPTION), emoji=False))


def _with_cancel(select: ExternalDataSelectElement | StaticSelectElement) -> Block:
    cancel = ButtonElement(text="Cancel", action_id=CANCEL, value="0")
    return ActionsBlock(elements=[select, cancel])


def _message(text: str, blocks: Sequence[Block]) -> dict[str, Any]:
    return {"text": text, "blocks": [block.to_dict() for block in blocks]}


def _markdown(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)


def _ordinal(day: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}th" if day in (11, 12, 13) else f"{day}{ending}"
