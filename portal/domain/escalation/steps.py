"""Which level is asked next, and when? Pure (product.md 8.1): no clock, no database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Rule:
    """One level: whom it names, and how long they have to answer."""

    timeout_minutes: int
    users: tuple[int, ...] = ()  # ids of people, always asked
    schedules: tuple[int, ...] = ()  # ids of schedules: whoever is on call there

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Rule":
        return cls(kept["timeout_minutes"], tuple(kept["users"]), tuple(kept["schedules"]))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def timeout(self) -> timedelta:
        return timedelta(minutes=self.timeout_minutes)


@dataclass(frozen=True)
class Position:
    """Where an alert stands: level 0 is before the first, laps count from 1."""

    level: int
    lap: int = 1
    has_asked: bool = False  # somebody, in this pass


@dataclass(frozen=True)
class Step:
    """What entering a level comes to."""

    position: Position
    asked: list[int]  # ids of the people asked at position.level; none: nobody was found
    empty: list[int]  # the levels with nobody on call, in the order they were passed
    next_at: datetime | None  # when the following step is due
    is_end: bool  # nobody further will be asked

    @property
    def is_nobody(self) -> bool:
        """Not one person was found in the whole pass."""
        return not self.asked and not self.position.has_asked


def enter(
    plan: Sequence[Rule],
    at: Position,
    *,
    repeats: int,
    is_low: bool,
    who: Callable[[Rule], list[int]],
    now: datetime,
) -> Step:
    """Enter a level. One with nobody on call falls through at once, without its timeout.

    Low priority asks the first rule only: it has no next step, and nobody there is the end of it.
    `who` says which people a rule asks now.
    """
    empty: list[int] = []
    while True:
        rule = plan[at.level - 1]
        if asked := who(rule):
            next_at = None if is_low else now + rule.timeout
            return Step(replace(at, has_asked=True), asked, empty, next_at, is_end=False)
        empty.append(at.level)
        following = None if is_low else after(at, levels=len(plan), repeats=repeats)
        if following is None:
            return Step(at, [], empty, None, is_end=not is_low)
        at = following


def after(at: Position, *, levels: int, repeats: int) -> Position | None:
    """The following level, else the next pass, else nothing: the end of the policy.

    A pass in which nobody was found is the last one: the others would find nobody either.
    """
    if at.level < levels:
        return replace(at, level=at.level + 1)
    if at.has_asked and at.lap <= repeats:
        return Position(level=1, lap=at.lap + 1)
    return None
