"""Which level is asked next, and when? The rules of product.md 8.1 as tables."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from portal.domain.escalation.steps import Position, Rule, after, enter

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA, BOB, EVE = 1, 2, 3
NOBODY = Rule(10)


def asks(*people: int, minutes: int = 10) -> Rule:
    return Rule(minutes, users=people)


@dataclass(frozen=True)
class Case:
    plan: list[Rule]
    at: Position
    asked: list[int]
    then: Position
    minutes: int | None  # until the next step
    empty: list[int] = field(default_factory=list)
    repeats: int = 0
    is_low: bool = False
    is_end: bool = False
    is_nobody: bool = False


CASES = {
    "the first level is asked, and has its own time": Case(
        [asks(ADA, minutes=5), asks(BOB)], Position(1), [ADA], Position(1, 1, True), 5
    ),
    "the last level has its time too": Case(
        [asks(ADA), asks(BOB, minutes=7)],
        Position(2, 1, True),
        [BOB],
        Position(2, 1, True),
        7,
    ),
    "several people of one level are asked at once": Case(
        [asks(ADA, BOB, EVE)], Position(1), [ADA, BOB, EVE], Position(1, 1, True), 10
    ),
    "nobody on call falls through at once": Case(
        [NOBODY, asks(BOB)], Position(1), [BOB], Position(2, 1, True), 10, empty=[1]
    ),
    "several empty levels are passed in one go": Case(
        [NOBODY, NOBODY, asks(EVE)], Position(1), [EVE], Position(3, 1, True), 10, empty=[1, 2]
    ),
    "an empty last level leads to the next pass": Case(
        [asks(ADA), NOBODY],
        Position(2, 1, True),
        [ADA],
        Position(1, 2, True),
        10,
        empty=[2],
        repeats=1,
    ),
    "an empty last level of the last pass is the end": Case(
        [asks(ADA), NOBODY],
        Position(2, 2, True),
        [],
        Position(2, 2, True),
        None,
        empty=[2],
        repeats=1,
        is_end=True,
    ),
    "nobody on the whole policy is the end, whatever it repeats": Case(
        [NOBODY, NOBODY],
        Position(1),
        [],
        Position(2),
        None,
        empty=[1, 2],
        repeats=9,
        is_end=True,
        is_nobody=True,
    ),
    "a later pass that finds nobody is the last one": Case(
        [NOBODY],
        Position(1, 2),
        [],
        Position(1, 2),
        None,
        empty=[1],
        repeats=9,
        is_end=True,
        is_nobody=True,
    ),
    "low priority asks the first level and has no next step": Case(
        [asks(ADA), asks(BOB)],
        Position(1),
        [ADA],
        Position(1, 1, True),
        None,
        repeats=3,
        is_low=True,
    ),
    "low priority with nobody there stops, and does not fall through": Case(
        [NOBODY, asks(BOB)],
        Position(1),
        [],
        Position(1),
        None,
        empty=[1],
        is_low=True,
        is_nobody=True,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_entering_a_level(case: Case) -> None:
    step = enter(
        case.plan,
        case.at,
        repeats=case.repeats,
        is_low=case.is_low,
        who=lambda rule: list(rule.users),
        now=NOW,
    )
    assert (step.asked, step.position, step.empty) == (case.asked, case.then, case.empty)
    expected = None if case.minutes is None else NOW + timedelta(minutes=case.minutes)
    assert step.next_at == expected
    assert (step.is_end, step.is_nobody) == (case.is_end, case.is_nobody)


@pytest.mark.parametrize(
    ("at", "levels", "repeats", "then"),
    [
        (Position(0), 2, 0, Position(1)),  # the delay has passed
        (Position(1, 1, True), 2, 0, Position(2, 1, True)),
        (Position(2, 1, True), 2, 0, None),
        (Position(2, 1, True), 2, 1, Position(1, 2)),
        (Position(2, 2, True), 2, 1, None),  # repeat n is 1 + n passes
        (Position(1, 9, True), 1, 9, Position(1, 10)),
        (Position(1, 10, True), 1, 9, None),
        (Position(2, 1, False), 2, 5, None),  # it found nobody: so would the others
    ],
)
def test_what_follows_a_level(
    at: Position, levels: int, repeats: int, then: Position | None
) -> None:
    assert after(at, levels=levels, repeats=repeats) == then


def test_a_rule_survives_being_kept_on_the_alert() -> None:
    rule = Rule(7, users=(1, 2), schedules=(3,))
    assert Rule.from_json({**rule.to_json(), "users": [1, 2], "schedules": [3]}) == rule
