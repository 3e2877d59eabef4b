"""What has been typed into the editor of an escalation policy so far?

Adding, removing and moving levels are buttons of the same form: what was typed comes back with every
answer, with and without JavaScript.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import StringField

from portal.domain.escalation.models import EscalationPolicy
from portal.domain.escalation.policies import MOST_RULES, PolicyDraft, RuleDraft
from portal.domain.escalation.targets import Target
from portal.errors import Invalid, NotFound

LEVEL = re.compile(r"level-(\d{1,3})-timeout")
USUAL_TIMEOUT = "10"  # minutes


class PolicyForm(FlaskForm):  # type: ignore[misc]
    """What a policy is besides its levels; policies.create() knows which values fit."""

    name = StringField("Name")
    delay_minutes = StringField("Wait before the first level, in minutes", default="0")
    repeats = StringField("Begin again this many times", default="0")
    routing_key = StringField("Routing key (optional)")


@dataclass
class TypedLevel:
    """One level as it stands in the form. `targets` are values like "person:7"."""

    timeout: str = USUAL_TIMEOUT
    targets: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)  # timeout, targets → sentence


def of_policy(policy: EscalationPolicy) -> list[TypedLevel]:
    levels = []
    for rule in policy.rules:
        chosen = [
            f"person:{target.user_id}" if target.user_id else f"schedule:{target.schedule_id}"
            for target in rule.targets
        ]
        levels.append(TypedLevel(str(rule.timeout_minutes), chosen))
    return levels


def typed(form: MultiDict[str, str]) -> list[TypedLevel]:
    """The levels in a posted form. What is selected but not added yet counts as added."""
    numbers = sorted(int(found[1]) for name in form if (found := LEVEL.fullmatch(name)))
    levels = []
    for number in numbers[: MOST_RULES + 1]:
        chosen = [*form.getlist(f"level-{number}-target"), form.get(f"level-{number}-add", "")]
        levels.append(
            TypedLevel(form[f"level-{number}-timeout"], list(dict.fromkeys(filter(None, chosen))))
        )
    return levels


def edited(levels: list[TypedLevel], deed: str) -> tuple[list[TypedLevel], str]:
    """The levels after one of the editor's buttons, and the id of what has the focus then.

    `deed` is the button's value: "add-level", or "up-1" with the level's place from 0. Anything
    else changes nothing.
    """
    word, _, rest = deed.partition("-")
    place, _, target = rest.partition("-")
    if deed == "add-level":
        levels.append(TypedLevel())
        return levels, f"level-{len(levels) - 1}-add"
    if word not in EDITS or not re.fullmatch(r"[0-9]{1,3}", place) or int(place) >= len(levels):
        return levels, ""
    return levels, EDITS[word](levels, int(place), target)


def draft(form: PolicyForm, levels: list[TypedLevel]) -> PolicyDraft:
    """The same for the domain. Raises Invalid at a level with a target that no form of ours offers."""
    return PolicyDraft(
        name=form.name.data or "",
        rules=[
            RuleDraft(_number(level.timeout), _targets(level, f"rules-{place}-targets"))
            for place, level in enumerate(levels)
        ],
        delay_minutes=_number(form.delay_minutes.data or "0"),
        repeats=_number(form.repeats.data or "0"),
        routing_key=form.routing_key.data or "",
    )


def _targets(level: TypedLevel, field: str) -> list[Target]:
    try:
        return [Target.parse(each) for each in level.targets]
    except NotFound as problem:
        raise Invalid("One of these can no longer be chosen. Please remove it.", field) from problem


def _up(levels: list[TypedLevel], place: int, _: str) -> str:
    if place > 0:
        levels[place - 1], levels[place] = levels[place], levels[place - 1]
    return f"level-{max(0, place - 1)}-title"


def _down(levels: list[TypedLevel], place: int, _: str) -> str:
    if place + 1 < len(levels):
        levels[place], levels[place + 1] = levels[place + 1], levels[place]
    return f"level-{min(len(levels) - 1, place + 1)}-title"


def _remove(levels: list[TypedLevel], place: int, _: str) -> str:
    del levels[place]
    return f"level-{place - 1}-title" if place else "add-level"


def _drop(levels: list[TypedLevel], place: int, target: str) -> str:
    levels[place].targets = [each for each in levels[place].targets if each != target]
    return f"level-{place}-add"


def _add(levels: list[TypedLevel], place: int, _: str) -> str:
    return f"level-{place}-add"  # typed() has added what was selected


EDITS: dict[str, Callable[[list[TypedLevel], int, str], str]] = {
    "up": _up,
    "down": _down,
    "remove": _remove,
    "drop": _drop,
    "add": _add,
}


def _number(raw: str) -> int | None:
    text = raw.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
